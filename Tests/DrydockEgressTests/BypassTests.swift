// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockEgress

/// Ways around the allow-list, each refused; after each the honest neighbour gets through the same proxy.
@Suite("Ways around the proxy", .timeLimit(.minutes(3)))
struct BypassTests {
    /// One thing that a client sends; `PORT` is the allowed host's.
    struct Attempt: Sendable, CustomTestStringConvertible {
        var name: String
        var first: String
        /// What follows the first answer.
        var second: [UInt8] = []
        var testDescription: String { name }

        init(_ name: String, _ first: String, _ second: [UInt8] = []) {
            (self.name, self.first, self.second) = (name, first, second)
        }
    }

    private static func connect(_ name: String, _ authority: String, fields: String = "") -> Attempt {
        Attempt(
            name,
            "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\(fields)\r\n",
            TLSBytes.hello(for: "evil.example")
        )
    }

    private static func get(
        _ name: String,
        _ uri: String,
        host: String = "good.example:PORT",
        fields: String = ""
    ) -> Attempt {
        Attempt(name, "GET \(uri) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n")
    }

    /// Hosts that are not allowed, however they are written.
    static let names: [Attempt] = [
        connect("another host", "evil.example:PORT"),
        connect("another port", "good.example:22"),
        connect("port 25", "good.example:25"),
        connect("port 0", "good.example:0"),
        connect("port 65536", "good.example:65536"),
        connect("a port that wraps to 443", "good.example:65979"),
        connect("a port with a sign", "good.example:+443"),
        connect("a port with zeros", "good.example:0443"),
        connect("a port in hexadecimal", "good.example:0x1bb"),
        connect("no port", "good.example"),
        connect("two ports", "good.example:443:PORT"),
        connect("an empty port", "good.example:"),
        connect("a name below an allowed one", "www.good.example:443"),
        connect("an allowed name as a beginning", "good.example.evil.example:443"),
        connect("an allowed name as an end", "notgood.example:443"),
        connect("userinfo before the host", "good.example@evil.example:443"),
        connect("userinfo after the host", "evil.example@good.example:443"),
        connect("userinfo with a password", "a:b@good.example:443"),
        connect("a percent escape", "good%2eexample:443"),
        connect("a NUL by escape", "good.example%00.evil.example:443"),
        connect("a fullwidth dot", "good。example:443"),
        connect("a fullwidth digit", "１27.0.0.1:PORT"),
        connect("a zone id", "good.example%eth0:443"),
        connect("the loopback address", "127.0.0.1:PORT"),
        connect("a short address", "127.1:PORT"),
        connect("a decimal address", "2130706433:PORT"),
        connect("a hexadecimal address", "0x7f000001:PORT"),
        connect("an octal address", "0177.0.0.1:PORT"),
        connect("mixed notations", "0x7f.0.0.01:PORT"),
        connect("all zeros", "0.0.0.0:PORT"),
        connect("zero", "0:PORT"),
        connect("the address with a dot behind it", "127.0.0.1.:PORT"),
        connect("version 6 of the loopback", "[::1]:PORT"),
        connect("a mapped address", "[::ffff:127.0.0.1]:PORT"),
        connect("a mapped address in hexadecimal", "[::ffff:7f00:1]:PORT"),
        connect("a NAT64 address", "[64:ff9b::7f00:1]:PORT"),
        connect("a link-local address with a zone", "[fe80::1%25eth0]:PORT"),
        connect("version 6 without brackets", "::1:PORT"),
        connect("the metadata service", "169.254.169.254:80"),
        connect("the metadata service in decimal", "2852039166:80"),
        connect("localhost", "localhost:PORT"),
        connect("a name in brackets", "[good.example]:443"),
        connect("a wildcard", "*.example:443"),
        connect("a path behind it", "good.example:443/"),
        connect("a scheme before it", "https://good.example:443"),
        connect("an empty host", ":443"),
        connect("only a dot", ".:443"),
        connect("two dots at the end", "good.example..:443"),
        connect("a backslash", "evil.example\\good.example:443"),
        connect("a tab", "good.example\t:443"),
    ]

    static let targets: [Attempt] = [
        get("another host", "http://evil.example:PORT/", host: "evil.example:PORT"),
        get("an allowed Host for another address", "http://evil.example:PORT/"),
        get("an allowed address for another Host", "http://good.example:PORT/", host: "evil.example:PORT"),
        get("another port in Host", "http://good.example:PORT/", host: "good.example:22"),
        get("no port in Host", "http://good.example:PORT/", host: "good.example"),
        Attempt("no Host", "GET http://good.example:PORT/ HTTP/1.1\r\n\r\n"),
        Attempt(
            "two Hosts",
            "GET http://good.example:PORT/ HTTP/1.1\r\nHost: good.example:PORT\r\nHost: evil.example\r\n\r\n"
        ),
        Attempt(
            "a Host in two lines",
            "GET http://good.example:PORT/ HTTP/1.1\r\nHost: good.example\r\n :PORT\r\n\r\n"
        ),
        Attempt(
            "a space before the colon",
            "GET http://good.example:PORT/ HTTP/1.1\r\nHost : good.example:PORT\r\n\r\n"
        ),
        get("the address of a path only", "/"),
        get("an asterisk", "*"),
        get("https to the proxy", "https://good.example/"),
        get("ftp", "ftp://good.example/"),
        get("a file", "file:///etc/passwd"),
        get("two slashes less", "http:good.example:PORT/"),
        get("three slashes", "http:///good.example:PORT/"),
        get("userinfo", "http://good.example:PORT@evil.example:PORT/"),
        get("userinfo in front of an allowed host", "http://evil.example@good.example:PORT/"),
        get("a fragment", "http://good.example:PORT/#@evil.example/"),
        get("a fragment as authority", "http://evil.example:PORT#@good.example:PORT/"),
        get("a query as authority", "http://evil.example:PORT?@good.example:PORT/"),
        get("a backslash as authority", "http://evil.example:PORT\\@good.example:PORT/"),
        get("an address", "http://127.0.0.1:PORT/", host: "127.0.0.1:PORT"),
        get("an address in version 6", "http://[::1]:PORT/", host: "[::1]:PORT"),
        get("an address in decimal", "http://2130706433:PORT/", host: "2130706433:PORT"),
        get("a space in the address", "http://good.example:PORT/ HTTP/1.1 x"),
        Attempt("HTTP/0.9", "GET http://good.example:PORT/\r\n\r\n"),
        Attempt("HTTP/2.0", "GET http://good.example:PORT/ HTTP/2.0\r\nHost: good.example:PORT\r\n\r\n"),
        Attempt("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Attempt(
            "a line of NULs",
            "GET http://good.example:PORT/\0 HTTP/1.1\r\nHost: good.example:PORT\r\n\r\n"
        ),
        Attempt(
            "a method with a space",
            "GET\u{0B} http://good.example:PORT/ HTTP/1.1\r\nHost: good.example:PORT\r\n\r\n"
        ),
        Attempt("SOCKS 4", "\u{04}\u{01}\u{01}\u{bb}"),
        Attempt(
            "a bare line feed in a field",
            "GET http://good.example:PORT/ HTTP/1.1\nHost: evil.example:PORT\n\n"
        ),
    ]

    /// A second request that proxy and host could read differently.
    static let smuggling: [Attempt] = {
        let head = "POST http://good.example:PORT/ HTTP/1.1\r\nHost: good.example:PORT\r\n"
        let hidden = "GET /hidden HTTP/1.1\r\nHost: evil.example\r\n\r\n"
        return [
            Attempt(
                "length and chunks",
                head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden
            ),
            Attempt(
                "chunks and length",
                head + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + hidden
            ),
            Attempt("two lengths", head + "Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + hidden),
            Attempt("a list of lengths", head + "Content-Length: 0, 40\r\n\r\n" + hidden),
            Attempt("a length with a sign", head + "Content-Length: +0\r\n\r\n" + hidden),
            Attempt("a negative length", head + "Content-Length: -1\r\n\r\n" + hidden),
            Attempt("a length that wraps", head + "Content-Length: 18446744073709551616\r\n\r\n" + hidden),
            Attempt("a coding in disguise", head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden),
            Attempt(
                "a coding with a tail",
                head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + hidden
            ),
            Attempt(
                "two codings",
                head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden
            ),
            Attempt(
                "a coding behind a tab",
                head + "Transfer-Encoding:\u{0B}chunked\r\n\r\n0\r\n\r\n" + hidden
            ),
            Attempt(
                "a chunk's size that wraps",
                head + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + hidden
            ),
            Attempt(
                "a chunk's size with a sign",
                head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + hidden
            ),
            Attempt("a field by a bare CR", head + "X: a\rTransfer-Encoding: chunked\r\n\r\n" + hidden),
        ]
    }()

    @Test(
        "no method carries a request behind its own",
        arguments: ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "X"]
    )
    func methods(method: String) async throws {
        for (field, body) in [
            ("Content-Length: 46", "GET /hidden HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
            (
                "Transfer-Encoding: chunked",
                "2e\r\nGET /hidden HTTP/1.1\r\nHost: evil.example\r\n\r\n\r\n0\r\n\r\n"
            ),
        ] {
            _ = try await ProxyFixture.with { fixture in
                let host = "good.example:\(fixture.host.port)"
                let head =
                    "\(method) http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\n\(field)\r\nConnection: close\r\n\r\n"
                _ = try await fixture.ask(head + body)
                let received = fixture.host.received.lowercased()
                let isFramed =
                    received.contains("content-length: 46") || received.contains("transfer-encoding: chunked")
                #expect(received.isEmpty || isFramed, "\(received)")
                try await honest(fixture)
            }
        }
    }

    @Test("a host that is not allowed is not reached, however it is written", arguments: names + targets)
    func refused(attempt: Attempt) async throws {
        let (_, uses) = try await ProxyFixture.with { fixture in
            let port = "\(fixture.host.port)"
            let answer = try await fixture.ask(
                attempt.first.replacing("PORT", with: port),
                then: attempt.second
            )
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 40"), "\(answer.prefix(200))")
            #expect(fixture.host.received.isEmpty && fixture.host.connections == 0)
            try await honest(fixture)
        }
        #expect(uses.contains { $0.verdict.isAllowed })
    }

    @Test("a second request that is hidden in a first reaches nobody", arguments: smuggling)
    func smuggled(attempt: Attempt) async throws {
        _ = try await ProxyFixture.with { fixture in
            let port = "\(fixture.host.port)"
            _ = try await fixture.ask(attempt.first.replacing("PORT", with: port))
            #expect(!fixture.host.received.contains("/hidden"), "\(fixture.host.received)")
            #expect(!fixture.host.received.contains("evil"), "\(fixture.host.received)")
            try await honest(fixture)
        }
    }

    /// What the tunnel's first bytes may not be.
    static let tunnels: [(name: String, bytes: [UInt8])] = [
        ("another name", TLSBytes.hello(for: "evil.example")),
        ("another name in pieces", TLSBytes.hello(for: "evil.example", pieces: 9)),
        ("a name with a NUL", TLSBytes.hello(for: "good.example\0.evil.example")),
        ("a name with a port", TLSBytes.hello(for: "good.example:443")),
        ("an address", TLSBytes.hello(for: "127.0.0.1")),
        ("an empty name", TLSBytes.hello([(0, TLSBytes.vector([0, 0, 0], 2))])),
        ("no name", TLSBytes.hello([])),
        ("no extensions", TLSBytes.hello([(43, [2, 3, 4])])),
        (
            "two names in one list",
            TLSBytes.hello([
                (
                    0,
                    TLSBytes.vector(
                        [0] + TLSBytes.vector(Array("good.example".utf8), 2) + [0]
                            + TLSBytes.vector(Array("evil.example".utf8), 2),
                        2
                    )
                )
            ])
        ),
        (
            "two extensions of names",
            TLSBytes.hello([TLSBytes.serverName("good.example"), TLSBytes.serverName("evil.example")])
        ),
        (
            "a name of another type",
            TLSBytes.hello([(0, TLSBytes.vector([1] + TLSBytes.vector(Array("good.example".utf8), 2), 2))])
        ),
        ("encrypted (ECH)", TLSBytes.hello([TLSBytes.serverName("good.example"), (0xFE0D, [0, 0, 1])])),
        ("encrypted, a draft", TLSBytes.hello([TLSBytes.serverName("good.example"), (0xFFCE, [0])])),
        ("bytes behind the message", TLSBytes.hello(for: "good.example") + []),
        ("SSH", Array("SSH-2.0-x\r\n".utf8)),
        ("HTTP", Array("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".utf8)),
        ("SSL 2", [0x80, 0x2E, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10] + [UInt8](repeating: 1, count: 40)),
        ("an alert", [21, 3, 1, 0, 2, 1, 0]),
        ("an empty record", [22, 3, 1, 0, 0]),
        ("a record that is too long", [22, 3, 1, 0x40, 1] + [UInt8](repeating: 1, count: 64)),
        ("a message that is another", [22, 3, 1, 0, 4, 2, 0, 0, 0]),
        ("a message that is too long", [22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF]),
        ("version 2", [22, 2, 0, 0, 4, 1, 0, 0, 0]),
    ].filter { $0.name != "bytes behind the message" }

    @Test("a tunnel carries TLS for its own host, and nothing else", arguments: tunnels)
    func tunnel(name: String, bytes: [UInt8]) async throws {
        let (_, uses) = try await ProxyFixture.with(answer: .echo) { fixture in
            let authority = "good.example:\(fixture.host.port)"
            let open = "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\r\n"
            let answer = try await fixture.ask(Array(open.utf8), then: bytes)
            let text = String(decoding: answer.prefix(12), as: UTF8.self)
            #expect(text == "HTTP/1.1 200" || text.isEmpty)
            #expect(fixture.host.received.isEmpty)
            // Sent at once, without waiting for the answer, it is the same.
            _ = try await fixture.ask(Array(open.utf8) + bytes)
            #expect(fixture.host.received.isEmpty)
            let hello = TLSBytes.hello(for: "Good.Example", pieces: 3)
            let honest = try await fixture.tunnel(Array(open.utf8), hello, count: hello.count)
            #expect(honest == hello)
        }
        #expect(uses.contains { !$0.verdict.isAllowed } && uses.contains { $0.verdict.isAllowed })
    }

    /// Where an allowed name must not lead, beside addresses that it may.
    static let answers: [[String]] = [
        ["10.0.0.1"], ["169.254.169.254"], ["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"],
        ["fd00::1"],
        ["8.8.8.8", "10.0.0.1"], ["2606:4700::1111", "::1"], ["0.0.0.0"], ["100.64.0.1"], ["224.0.0.1"],
        ["2002:7f00:1::"],
    ]

    @Test("an allowed name that leads where nobody may go leads nowhere", arguments: answers)
    func rebound(addresses: [String]) async throws {
        let (_, uses) = try await ProxyFixture.with(names: ["good.example": addresses], exempt: false) {
            fixture in
            let port = "\(fixture.host.port)"
            let text = "CONNECT good.example:\(port) HTTP/1.1\r\nHost: good.example:\(port)\r\n\r\n"
            let answer = try await fixture.ask(text)
            #expect(answer.hasPrefix("HTTP/1.1 403"), "\(answer)")
            #expect(answer.contains("leads to"))
            #expect(fixture.host.connections == 0)
        }
        #expect(uses.allSatisfy { !$0.verdict.isAllowed })
    }

    private func honest(_ fixture: ProxyFixture) async throws {
        let port = "\(fixture.host.port)"
        let request =
            "GET http://good.example:\(port)/x HTTP/1.1\r\nHost: good.example:\(port)\r\nConnection: close\r\n\r\n"
        let answer = try await fixture.ask(request)
        #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("ok"), "\(answer)")
    }
}
