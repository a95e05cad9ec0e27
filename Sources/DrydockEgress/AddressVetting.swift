// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// Which addresses the proxy connects to: those that the whole Internet may, and what the operator exempts.
///
/// A name that is allowed says nothing about where it leads; its owner, or whoever answers for it, may let it lead into
/// the operator's own network. Source: IANA's registries of special-purpose addresses (RFC 6890), as of 2026.
package struct AddressVetting: Hashable, Sendable {
    /// Where the answers for a name may lie, beyond what everybody may reach.
    private let exempt: [HostName: [AddressRange]]

    package init(exempt: [HostName: [AddressRange]] = [:]) { self.exempt = exempt }

    /// Why `address`, one of the answers for `host`, is not connected to; nil where it may be.
    package func refusal(of address: IPAddress, for host: HostName) -> String? {
        if let range = Self.never.first(where: { $0.range.contains(address) }) { return range.name }
        if exempt[host]?.contains(where: { $0.contains(address) }) == true { return nil }
        if let range = Self.special.first(where: { $0.range.contains(address) }) { return range.name }
        guard !address.isVersion4 else { return nil }
        // All that is given out of version 6 lies here (RFC 4291 section 2.4); mapped, NAT64 and local forms do not.
        if !Self.global.contains(address) { return "outside the global addresses" }
        return Self.isTunnelEnd(address) ? "an ISATAP address" : nil
    }

    private struct Special {
        let range: AddressRange
        let name: String

        init(_ range: StaticString, _ name: String) {
            guard let range = AddressRange("\(range)") else { preconditionFailure("no range: \(range)") }
            self.range = range
            self.name = name
        }
    }

    private static let global: AddressRange = Special("2000::/3", "global").range

    /// What no operator can exempt: who asks there is given the machine's own credentials, or reaches the link itself.
    private static let never = [
        Special("169.254.0.0/16", "a link-local address"),
        Special("fe80::/10", "a link-local address"),
        Special("fec0::/10", "a site-local address"),
        Special("168.63.129.16/32", "a metadata service"),
        Special("100.100.100.200/32", "a metadata service"),
        Special("192.0.0.192/32", "a metadata service"),
        Special("fd00:ec2::/32", "a metadata service"),
        Special("fd20:ce::254/128", "a metadata service"),
        Special("224.0.0.0/4", "a multicast address"),
        Special("ff00::/8", "a multicast address"),
        Special("255.255.255.255/32", "the broadcast address"),
        Special("0.0.0.0/8", "an address of this machine"),
        Special("::/128", "an address of this machine"),
        // Other ways of writing one of the others: an exemption could be meant for those, and hit them.
        Special("::ffff:0:0/96", "an IPv4-mapped address"),
        Special("::/96", "an IPv4-compatible address"),
        Special("64:ff9b::/96", "a NAT64 address"),
        Special("64:ff9b:1::/48", "a NAT64 address"),
        Special("2002::/16", "a 6to4 address"),
        Special("2001::/32", "a Teredo address"),
    ]

    private static let special = [
        Special("10.0.0.0/8", "a private address"),
        Special("172.16.0.0/12", "a private address"),
        Special("192.168.0.0/16", "a private address"),
        Special("fc00::/7", "a private address"),
        Special("127.0.0.0/8", "a loopback address"),
        Special("::1/128", "a loopback address"),
        Special("100.64.0.0/10", "a carrier's private address"),
        Special("192.0.0.0/24", "a protocol's own address"),
        Special("192.88.99.0/24", "a 6to4 relay"),
        Special("198.18.0.0/15", "an address for benchmarks"),
        Special("192.0.2.0/24", "an address for documentation"),
        Special("198.51.100.0/24", "an address for documentation"),
        Special("203.0.113.0/24", "an address for documentation"),
        Special("240.0.0.0/4", "a reserved address"),
        Special("2001::/23", "a protocol's own address"),
        Special("2001:db8::/32", "an address for documentation"),
        Special("3fff::/20", "an address for documentation"),
        Special("2620:4f:8000::/48", "an address for name servers"),
    ]

    /// RFC 5214 section 6.1: the interface's number holds an address of version 4, whatever the prefix.
    private static func isTunnelEnd(_ address: IPAddress) -> Bool {
        let bytes = address.bytes
        return bytes[8] & 0xFD == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE
    }
}
