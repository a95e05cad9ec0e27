// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockModel

@Suite("Rules of the network")
struct NetworkRuleTests {
    @Test(
        "a name has one form",
        arguments: [
            ("pypi.org", "pypi.org"), ("PyPI.Org", "pypi.org"), ("pypi.org.", "pypi.org"),
            ("PYPI.ORG.", "pypi.org"),
            ("a_b.example", "a_b.example"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("registry", "registry"),
            ("1.2.3.example", "1.2.3.example"), ("0x7f.example", "0x7f.example"),
        ]
    )
    func canonical(written: String, form: String) throws {
        #expect(try HostName(written).text == form)
    }

    @Test(
        "what is no name is none, and addresses in any notation are none",
        arguments: [
            ("", HostNameProblem.empty), (".", .label), ("a..b", .label), ("-a.example", .label),
            ("a-.example", .label),
            ("a.example..", .label), (".example", .label),
            ("127.0.0.1", .address), ("127.1", .address), ("2130706433", .address), ("0x7f.0.0.1", .address),
            ("0x7f000001", .address), ("0177.0.0.1", .address), ("127.0.0.1.", .address),
            ("example.1", .address),
            ("example.0x", .address), ("example.0xAF", .address),
            ("bücher.example", .notASCII), ("pypi。org", .notASCII), ("１２７.0.0.1", .notASCII),
            ("a%2eb", .character(0x25)), ("user@pypi.org", .character(0x40)),
            ("pypi.org:443", .character(0x3A)),
            ("pypi.org\0.evil", .character(0)), ("pypi.org\r\n", .character(0x0D)),
            ("pypi org", .character(0x20)),
            ("pypi.org/", .character(0x2F)), ("[::1]", .character(0x5B)), ("fe80::1%eth0", .character(0x3A)),
            ("*.example", .character(0x2A)), ("a\\b", .character(0x5C)),
            (String(repeating: "a", count: 64) + ".example", .label),
            (String(repeating: "a.", count: 127) + "example", .tooLong),
        ]
    )
    func refused(written: String, problem: HostNameProblem) {
        #expect(throws: problem) { try HostName(written) }
    }

    @Test(
        "a rule reads as it is written",
        arguments: ["pypi.org", "*.example.org", "example.org:8443", "*.example.org:22", "registry"]
    )
    func rules(text: String) throws {
        #expect("\(try NetworkRule(parsing: text))" == text)
    }

    @Test(
        "what is no rule says why, and what to write",
        arguments: [
            ("https://pypi.org", "address of the web"), ("pypi.org/simple", "path"), ("10.0.0.0/8", "range"),
            ("10.0.0.1", "is an address"), ("[::1]:443", "is an address"), ("::1", "is an address"),
            ("pypi.org ", "space"), ("pypi org", "space"), ("a.*.org", "*"), ("*", "*"), ("*.org", "*"),
            ("*pypi.org", "*"), ("pypi.org:0", "port"), ("pypi.org:65536", "port"),
            ("pypi.org:https", "port"),
            ("pypi.org:", "port"), ("bücher.example", "ASCII"), ("", "empty"), ("*.10.0.0.1", "*"),
            ("user@pypi.org", "@"), ("preset:", "no preset"), ("preset:Pip", "no preset"),
            ("preset:a:1", "no preset"),
        ]
    )
    func noRule(text: String, why: String) {
        #expect { try NetworkRule(parsing: text) } throws: { error in
            let problem = error as? FieldProblem
            return problem?.message.contains(why) == true && problem?.hint != nil
        }
    }

    @Test("a rule allows its hosts on its ports, and nothing beside")
    func allows() throws {
        let plain = try NetworkRule(parsing: "example.org")
        let below = try NetworkRule(parsing: "*.example.org:8443")
        let (host, part, other) = (
            try HostName("example.org"), try HostName("a.b.example.org"), try HostName("aexample.org")
        )
        #expect(plain.allows(host, port: 443) && plain.allows(host, port: 80))
        #expect(
            !plain.allows(host, port: 22) && !plain.allows(part, port: 443) && !plain.allows(other, port: 443)
        )
        #expect(below.allows(part, port: 8443))
        #expect(
            !below.allows(part, port: 443) && !below.allows(host, port: 8443)
                && !below.allows(other, port: 8443)
        )
    }

    @Test(
        "what is granted is what both sides say",
        arguments: [
            (["pypi.org"], ["pypi.org"], ["pypi.org"], []),
            (["pypi.org"], [], [], ["pypi.org"]),
            (["a.example.org"], ["*.example.org"], ["a.example.org"], []),
            (["*.example.org"], ["a.example.org"], ["a.example.org"], ["*.example.org"]),
            (["*.a.example.org"], ["*.example.org"], ["*.a.example.org"], []),
            (["*.example.org"], ["*.example.com"], [], ["*.example.org"]),
            (["example.org"], ["*.example.org"], [], ["example.org"]),
            (["example.org"], ["example.org:443"], ["example.org:443"], ["example.org"]),
            (["example.org:8443"], ["example.org"], [], ["example.org:8443"]),
            (["example.org:443"], ["example.org"], ["example.org:443"], []),
            (["example.org:22"], ["*.org.example:22", "example.org:22"], ["example.org:22"], []),
            (["preset:pip"], ["pypi.org"], [], ["preset:pip"]),
            (["preset:pip"], ["preset:pip"], ["preset:pip"], []),
        ]
    )
    func granted(asked: [String], given: [String], granted: [String], refused: [String]) throws {
        let policy = NetworkPolicy(try given.map { try NetworkRule(parsing: $0) })
        let result = policy.granting(try asked.map { try NetworkRule(parsing: $0) })
        #expect(result.granted.rules.map(\.description) == granted)
        #expect(result.refused.map(\.description) == refused)
    }
}
