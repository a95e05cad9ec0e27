// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Testing

@testable import DrydockEgress

@Suite("Secrets that the proxy adds", .timeLimit(.minutes(2)))
struct SecretTests {
    @Test("a request gets its host's secret, which the client never has; it is told, without the secret")
    func added() async throws {
        let (_, uses) = try await SecretFixture.with { fixture in
            let answer = try await fixture.curl("/simple/?a=b", ["-i"])
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains("\r\n\r\nok"), "\(answer)")
            #expect(!answer.contains("hunter22") && !answer.contains("bWU6"))
            let heard = fixture.proxy.host.received
            #expect(heard.hasPrefix("GET /simple/?a=b HTTP/1.1\r\n"), "\(heard)")
            #expect(heard.contains("Host: good.example:\(fixture.port)\r\n"))
            #expect(
                heard.contains(SecretFixture.field + "\r\n")
                    && heard.contains("Accept-Encoding: identity\r\n")
            )
        }
        #expect(uses.count == 1, "\(uses)")
        let rule = "good.example:\(uses.first?.port ?? 0), with a secret"
        #expect(uses.first?.verdict == .allowed(rule: rule), "\(uses)")
    }

    @Test("requests follow each other on one connection, each with the secret")
    func several() async throws {
        _ = try await SecretFixture.with { fixture in
            let second = "https://good.example:\(fixture.port)/2"
            let answer = try await fixture.curl("/1", ["-w", "%{num_connects}", second])
            #expect(answer == "ok1ok0", "\(answer)")
            #expect(fixture.proxy.host.connections == 2)
            #expect(fixture.proxy.host.received.split(separator: SecretFixture.field).count == 3)
        }
    }

    @Test("what the client says of itself, and what could mean another request, is left out")
    func fields() async throws {
        _ = try await SecretFixture.with { fixture in
            let hostile = [
                "Authorization: Bearer mine", "authorization: mine", "Cookie: mine=1",
                "Proxy-Authorization: mine",
                "X-HTTP-Method-Override: DELETE", "X-Original-URL: /mine", "X-Rewrite-URL: /mine",
                "Range: bytes=0-1",
                "Accept-Encoding: gzip", "Connection: Authorization", "Connection: Accept-Encoding",
            ]
            let answer = try await fixture.curl(
                "/",
                hostile.flatMap { ["-H", $0] } + ["-H", "Git-Protocol: version=2"]
            )
            #expect(answer == "ok", "\(answer)")
            let heard = fixture.proxy.host.received
            for word in ["mine", "Override", "X-", "Range", "gzip"] {
                #expect(!heard.contains(word), "\(heard)")
            }
            #expect(heard.lowercased().split(separator: "authorization:").count == 2, "\(heard)")
            #expect(heard.contains(SecretFixture.field) && heard.contains("Git-Protocol: version=2"))
        }
    }

    @Test("another host gets none, and its TLS goes through unopened")
    func otherHost() async throws {
        let (_, uses) = try await SecretFixture.with { fixture in
            let address = "https://other.example:\(fixture.port)/"
            let common = [
                "-sS", "--max-time", "10", "--proxy", "http://127.0.0.1:\(fixture.proxy.proxyPort)",
            ]
            // The host's own certificate, which is of another name.
            let strict = try await TestProgram.run("curl", common + ["--cacert", fixture.operators, address])
            #expect(strict.contains("good.example") || strict.contains("subject name"), "\(strict)")
            let again = try await TestProgram.run("curl", common + ["-k", address])
            #expect(again == "ok")
            #expect(!fixture.proxy.host.received.contains("Authorization"))
        }
        #expect(uses.allSatisfy { $0.verdict == .allowed(rule: "other.example:\($0.port)") }, "\(uses)")
    }

    @Test("one tunnel asks one host: neither Host nor SNI nor an absolute address names another")
    func fronting() async throws {
        _ = try await SecretFixture.with { fixture in
            let other = "other.example:\(fixture.port)"
            #expect(try await fixture.curl("/", ["-H", "Host: \(other)"]).contains("names another"))
            let absolute = try await fixture.curl("/", ["--request-target", "https://\(other)/"])
            #expect(absolute.contains("not a path"), "\(absolute)")
            let connect = try await fixture.curl("/", ["-X", "CONNECT", "--request-target", other])
            #expect(connect.contains("not a path"), "\(connect)")
            _ = try await fixture.curl("/", ["--connect-to", "other.example:\(fixture.port):\(other)"])
            let front = try await TestProgram.run(
                "curl",
                [
                    "-sSk", "--proxy", "http://127.0.0.1:\(fixture.proxy.proxyPort)", "--connect-to",
                    "\(other):good.example:\(fixture.port)", "https://\(other)/",
                ]
            )
            #expect(front.contains("curl: "), "\(front)")
            let heard = fixture.proxy.host.received
            #expect(heard.split(separator: "GET ").count <= 1 && !heard.contains("other.example"), "\(heard)")
        }
    }

    @Test(
        "what the secret is not for is refused, not passed on without it",
        arguments: [
            ("/simple/", ["-X", "PUT", "-d", "x"]), ("/simple/", ["-d", "x"]),
            ("/simple/", ["-X", "DELETE"]),
            ("/simple/", ["-X", "PROPFIND"]), ("/simple/", ["-X", "GET", "-d", "x"]),
            ("/other", []), ("/simple/../other", []), ("/simple/%2e%2e/other", []),
            ("/simple/..%2fother", []),
            ("/simple//../other", []), ("/simple/..;/other", []), ("/simple%2f..%2fother", []),
            ("/simple/%252e%252e/other", []), ("/simple/..%5cother", []), ("/simple/%c0%ae%c0%ae/other", []),
        ] as [(String, [String])]
    )
    func outside(path: String, arguments: [String]) async throws {
        var requests = SecretRequests()
        requests.paths = [
            try PathPattern(Field(.string("/simple/*"), key: "paths", of: "the file", .document))
        ]
        let (_, uses) = try await SecretFixture.with(requests: requests) { fixture in
            let answer = try await fixture.curl(path, ["-w", " %{http_code}"] + arguments)
            #expect(answer.hasSuffix(" 403") && answer.contains("drydock: good.example"), "\(answer)")
            #expect(fixture.proxy.host.connections == 0)
            // The honest neighbour.
            let again = try await fixture.curl("/simple/x")
            #expect(again == "ok")
        }
        #expect(uses.first?.verdict.isAllowed == false && uses.last?.verdict.isAllowed == true, "\(uses)")
    }

    @Test("git fetches, and never pushes")
    func git() async throws {
        var requests = SecretRequests()
        requests.isGit = true
        _ = try await SecretFixture.with(requests: requests) { fixture in
            for (path, arguments) in [
                ("/r.git/info/refs?service=git-receive-pack", []),
                ("/r.git/git-receive-pack", ["-d", "0000"]),
                ("/r.git/git-receive-pack/../git-upload-pack", ["-d", "0000"]), ("/api/v4/user", []),
            ] as [(String, [String])] {
                let answer = try await fixture.curl(path, ["-w", " %{http_code}"] + arguments)
                #expect(answer.hasSuffix(" 403"), "\(path): \(answer)")
            }
            #expect(fixture.proxy.host.connections == 0)
            let again = try await fixture.curl("/r.git/info/refs?service=git-upload-pack")
            #expect(again == "ok")
            let fetched = try await fixture.curl("/r.git/git-upload-pack", ["-d", "0000"])
            #expect(fetched == "ok")
        }
    }

    @Test(
        "a host whose certificate is not right is not asked",
        arguments: [("good.example", false, "roots vouch for"), ("wrong.example", true, "certificate")]
    )
    func certificate(vouched: String, isKnown: Bool, words: String) async throws {
        let (_, uses) = try await SecretFixture.with(vouched: vouched, isKnown: isKnown) { fixture in
            let answer = try await fixture.curl("/", ["-w", " %{http_code}"])
            #expect(answer.hasSuffix(" 502") && answer.contains(words), "\(answer)")
            #expect(fixture.proxy.host.received.isEmpty)
        }
        #expect(uses.count == 1 && uses.first?.verdict.isAllowed == false, "\(uses)")
    }

    @Test("a client trusts the sandbox's own authority, or is told of")
    func distrust() async throws {
        let (_, uses) = try await SecretFixture.with { fixture in
            // Twice: by the end of the second the proxy has heard what the first said before it hung up.
            for _ in 0..<2 {
                let answer = try await fixture.curl("/", ["--cacert", fixture.operators])
                #expect(answer.contains("certificate"), "\(answer)")
            }
        }
        #expect("\(uses)".contains("may not trust this sandbox"), "\(uses)")
    }

    @Test("a secret that the host says again is taken out, wherever it is cut; so are its cookies")
    func reflected() async throws {
        let body = "one hunter22 two bWU6aHVudGVyMjI= three"
        let cut = [
            "HTTP/1.1 200 hunter22 OK\r\nX-You: Basic bWU6aHVudGVyMjI=\r\nSet-Cookie: session=of-me\r\n"
                + "Location: https://evil.example/?t=hunter22\r\nContent-Length: \(body.utf8.count)\r\n\r\none hun",
            "ter2",
            "2 two bWU6aHVudG", "VyMjI= thr", "ee",
        ]
        let whole = body.map(String.init)
        for pieces in [cut, ["HTTP/1.1 200 OK\r\n\r\n"] + whole] {
            _ = try await SecretFixture.with(answer: .pieces { _ in pieces }) { fixture in
                let answer = try await fixture.curl("/", ["-i"])
                #expect(
                    answer.hasSuffix("one ******** two ****************** three")
                        || answer.hasSuffix("one ******** two ***************= three"),
                    "\(answer)"
                )
                for word in ["hunter22", "bWU6aH", "session"] { #expect(!answer.contains(word), "\(answer)") }
            }
        }
    }

    @Test(
        "an answer that can not be looked through is none",
        arguments: [
            "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx",
            "Content-Encoding: identity, br\r\nContent-Length: 2\r\n\r\nxx",
            "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n",
        ]
    )
    func coded(rest: String) async throws {
        _ = try await SecretFixture.with(answer: .bytes("HTTP/1.1 200 OK\r\n" + rest)) { fixture in
            let answer = try await fixture.curl("/", ["-w", " %{http_code}"])
            #expect(answer.hasSuffix(" 502") && answer.contains("oding"), "\(answer)")
        }
    }

    @Test("a redirect is the client's to follow, and another host gets nothing of the secret")
    func redirect() async throws {
        let (_, uses) = try await SecretFixture.with(
            answer: .pieces { request in
                let port =
                    request.split(separator: "good.example:").dropFirst().first?.prefix { $0.isNumber } ?? ""
                return request.contains("good.example")
                    ? [
                        "HTTP/1.1 302 Found\r\nLocation: https://other.example:\(port)/\r\nContent-Length: 0\r\n\r\n"
                    ]
                    : ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
            }
        ) { fixture in
            let again = try await fixture.curl("/", ["-kL"])
            #expect(again == "ok")
            let heard = fixture.proxy.host.received.split(separator: "Host: other.example")
            #expect(heard.count == 2 && heard[0].contains(SecretFixture.field), "\(heard)")
            #expect(heard.last?.contains("Authorization") == false, "\(heard)")
        }
        #expect(uses.count == 2)
    }

    @Test("an answer that the host does not end is not taken for whole")
    func truncated() async throws {
        let reply = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"
        _ = try await SecretFixture.with(answer: .pieces { _ in [reply] }) { fixture in
            let answer = try await fixture.curl("/")
            #expect(answer.contains("curl: ("), "\(answer)")
        }
    }

    @Test("plain http gets none, unless the operator says so", arguments: [false, true])
    func plain(isInsecure: Bool) async throws {
        _ = try await SecretFixture.with(isSecure: false, isInsecure: isInsecure) { fixture in
            let again = try await fixture.curl("/", scheme: "http")
            #expect(again == "ok")
            #expect(fixture.proxy.host.received.contains(SecretFixture.field) == isInsecure)
        }
    }

    @Test("through the operator's proxy it is asked in a tunnel, which shows the secret to nobody on the way")
    func upstream() async throws {
        let host = try HostName("far.example")
        let authority = try SandboxAuthority(over: [host], for: .seconds(60))
        let folder = TestFolder.make()
        defer { folder.remove() }
        let roots = try folder.write(try authority.pem, "roots.pem")
        let (_, seen) = try await ProxyFixture.with(
            rules: ["far.example:PORT"],
            names: ["far.example": ["127.0.0.1"]],
            tls: try authority.server(for: host)
        ) { operators in
            let port = operators.host.port
            let secret = try HostSecret(host, port: port, .bearer("hunter22"))
            let opened = try OpenedHosts(secrets: [secret], for: .seconds(60), roots: roots)
            let own = try folder.write(try opened.certificate ?? "", "own.pem")
            func given(_: UInt16) -> OpenedHosts { opened }
            _ = try await ProxyFixture.with(
                rules: ["far.example:\(port)"],
                upstream: "http://127-0-0-1.example:\(operators.proxyPort)",
                opened: given
            ) { fixture in
                let answer = try await TestProgram.run(
                    "curl",
                    [
                        "-sS", "--cacert", own, "--proxy", "http://127.0.0.1:\(fixture.proxyPort)",
                        "https://far.example:\(port)/x",
                    ]
                )
                #expect(answer == "ok", "\(answer)")
                #expect(operators.host.received.contains("Authorization: Bearer hunter22\r\n"))
            }
        }
        #expect(seen.map(\.verdict) == [.allowed(rule: "far.example:\(seen.first?.port ?? 0)")])
    }

    @Test("a client that sends on without waiting for the tunnel gets there too, or is closed")
    func eager() async throws {
        _ = try await SecretFixture.with { fixture in
            let name = "good.example:\(fixture.port)"
            let open = "CONNECT \(name) HTTP/1.1\r\nHost: \(name)\r\n\r\n"
            for more in [TLSBytes.hello(for: "good.example"), Array("GET / HTTP/1.1\r\n\r\n".utf8)] {
                let answer = try await fixture.proxy.ask(Array(open.utf8) + more, patience: .seconds(1))
                #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200 "))
                // An alert: neither is a whole ClientHello.
                #expect(answer.count == 39 + 7 && answer[39] == 21)
            }
            let last = try await fixture.curl("/")
            #expect(last == "ok")
        }
    }

    @Test("a large body goes through whole")
    func large() async throws {
        let piece = String(repeating: "0123456789abcdef hunter2", count: 4_096)
        let pieces =
            ["HTTP/1.1 200 OK\r\nContent-Length: \(piece.utf8.count * 8)\r\n\r\n"]
            + Array(repeating: piece, count: 8)
        _ = try await SecretFixture.with(answer: .pieces { _ in pieces }) { fixture in
            let answer = try await fixture.curl("/")
            #expect(answer == String(repeating: piece, count: 8), "\(answer.utf8.count)")
        }
    }
}
