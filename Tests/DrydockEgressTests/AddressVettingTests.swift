// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockEgress

@Suite("Vetting addresses")
struct AddressVettingTests {
    /// Each one that is refused, with its nearest neighbour that is not.
    static let table: [(refused: String, allowed: String)] = [
        ("0.0.0.0", "1.0.0.1"), ("0.1.2.3", "1.1.2.3"),
        ("10.0.0.0", "9.255.255.255"), ("10.255.255.255", "11.0.0.0"),
        ("100.64.0.0", "100.63.255.255"), ("100.127.255.255", "100.128.0.0"),
        ("100.100.100.200", "100.128.100.200"),
        ("127.0.0.1", "126.255.255.255"), ("127.255.255.255", "128.0.0.0"),
        ("168.63.129.16", "168.63.129.17"),
        ("169.254.169.254", "169.253.169.254"), ("169.254.0.0", "169.255.0.0"),
        ("172.16.0.0", "172.15.255.255"), ("172.31.255.255", "172.32.0.0"),
        ("192.0.0.192", "192.0.1.192"), ("192.0.0.8", "192.0.1.8"), ("192.0.2.1", "192.0.3.1"),
        ("192.88.99.1", "192.88.98.1"), ("192.168.0.1", "192.167.0.1"), ("192.168.255.255", "192.169.0.0"),
        ("198.18.0.1", "198.17.255.255"), ("198.19.255.255", "198.20.0.0"),
        ("198.51.100.7", "198.51.101.7"), ("203.0.113.80", "203.0.114.80"),
        ("224.0.0.1", "223.255.255.255"), ("239.255.255.255", "223.0.0.1"),
        ("240.0.0.1", "8.8.8.8"), ("255.255.255.255", "9.9.9.9"),
        ("::", "2000::"), ("::1", "2600::1"), ("::7f00:1", "2600::7f00:1"),
        ("::ffff:127.0.0.1", "2600::ffff:7f00:1"), ("::ffff:8.8.8.8", "2606:4700::1111"),
        ("::ffff:0:127.0.0.1", "2606:4700::1111"),
        ("64:ff9b::7f00:1", "2606:4700::64"), ("64:ff9b:1::a00:1", "2606:4700::64"),
        ("100::1", "2606:4700::64"), ("2001::1", "2001:200::1"), ("2001:0:53aa:64c::1", "2001:4860::1"),
        ("2001:10::1", "2001:4860::1"), ("2001:2::1", "2001:4860::1"), ("2001:db8::1", "2001:db9::1"),
        ("2002:7f00:1::1", "2003::1"), ("2002:a00:1::", "2003::1"), ("3fff::1", "3ffe::1"),
        ("2620:4f:8000::1", "2620:4e:8000::1"),
        ("fc00::1", "2606:4700::64"), ("fd00:ec2::254", "2600:ec2::254"), ("fd12:3456::1", "2606:4700::64"),
        ("fe80::1", "2606:4700::64"), ("febf::1", "2606:4700::64"), ("fec0::1", "2606:4700::64"),
        ("ff02::1", "2606:4700::64"), ("4000::1", "3000::1"), ("e000::1", "3000::1"),
        ("2600::5efe:a00:1", "2600::5eff:a00:1"), ("2600::200:5efe:a00:1", "2600::201:5efe:a00:1"),
    ]

    @Test("special addresses are refused, and their neighbours are not", arguments: table)
    func special(refused: String, allowed: String) throws {
        let host = try HostName("example.org")
        let vetting = AddressVetting()
        #expect(vetting.refusal(of: try #require(IPAddress(refused)), for: host) != nil)
        #expect(vetting.refusal(of: try #require(IPAddress(allowed)), for: host) == nil)
    }

    @Test("an operator exempts a range for one host, and nothing of what nobody may reach")
    func exempt() throws {
        let index = try HostName("index.example.org")
        let other = try HostName("other.example.org")
        let all = try [#require(AddressRange("0.0.0.0/0")), #require(AddressRange("::/0"))]
        let vetting = AddressVetting(exempt: [index: all])
        let inside = try #require(IPAddress("10.1.2.3"))
        #expect(vetting.refusal(of: inside, for: index) == nil)
        #expect(vetting.refusal(of: inside, for: other) != nil)
        for text in [
            "169.254.169.254", "fe80::1", "fd00:ec2::254", "168.63.129.16", "100.100.100.200",
            "::ffff:10.1.2.3",
            "64:ff9b::a01:203", "2002:a01:203::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::",
        ] {
            let address = try #require(IPAddress(text))
            #expect(vetting.refusal(of: address, for: index) != nil, "\(text)")
        }
    }

    @Test("a range holds what begins with its bits, and texts that are none are none")
    func ranges() throws {
        let range = try #require(AddressRange("10.2.0.0/15"))
        #expect(range.contains(try #require(IPAddress("10.3.255.255"))))
        #expect(!range.contains(try #require(IPAddress("10.4.0.0"))))
        for text in ["10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "::/0", "0.0.0.0/0"] {
            #expect(AddressRange(text) != nil, "\(text)")
        }
        for text in [
            "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "/8", "10/8", "a/8", "::/129",
            "1.2.3.4/8/8", "",
        ] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
        #expect(
            IPAddress("fe80::1%eth0") == nil && IPAddress("127.1") == nil && IPAddress("0x7f.0.0.1") == nil
        )
        #expect(IPAddress("::FFFF:1.2.3.4")?.description == "::ffff:1.2.3.4")
    }
}
