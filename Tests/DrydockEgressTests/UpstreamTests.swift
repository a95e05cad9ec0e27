// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockEgress

@Suite("The operator's own proxy", .timeLimit(.minutes(1)))
struct UpstreamTests {
    @Test("tunnels are asked of it, with the operator's password; the client's own is left out")
    func tunnels() async throws {
        let opened = "HTTP/1.1 200 Connection established\r\n\r\n"
        let upstream = try await TestHost.start(.bytes(opened))
        let (_, uses) = try await ProxyFixture.with(
            upstream: "http://me:p%40ss@127-0-0-1.example:\(upstream.port)"
        ) {
            let hello = TLSBytes.hello(for: "far.example")
            let open =
                "CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\nProxy-Authorization: mine\r\n\r\n"
            let answer = try await $0.ask(Array(open.utf8), then: hello, patience: .seconds(1))
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200 "))
            // Nobody but the proxy in front looks the name up.
            #expect($0.resolver.count("far.example") == 0)
            let head = upstream.received.prefix { $0 != "\u{16}" }
            #expect(head.hasPrefix("CONNECT far.example:443 HTTP/1.1\r\n"), "\(head)")
            #expect(
                head.contains("Proxy-Authorization: Basic bWU6cEBzcw==") && !head.contains("mine"),
                "\(head)"
            )
            #expect(upstream.received.contains("far.example\u{0}") || upstream.received.count > head.count)
        }
        #expect(uses.first?.host == "far.example" && uses.first?.verdict.isAllowed == true, "\(uses)")
        await upstream.stop()
    }

    @Test(
        "a plain request is said whole to it; hosts whose addresses are named, and those not granted, do not reach it"
    )
    func requests() async throws {
        let upstream = try await TestHost.start(.http)
        _ = try await ProxyFixture.with(upstream: "http://127-0-0-1.example:\(upstream.port)") { fixture in
            for name in ["far.example", "evil.example", "good.example:\(fixture.host.port)"] {
                _ = try await fixture.ask(
                    "GET http://\(name)/x HTTP/1.1\r\nHost: \(name)\r\nConnection: close\r\n\r\n"
                )
            }
            #expect(fixture.host.received.hasPrefix("GET /x HTTP/1.1\r\n"))
        }
        #expect(upstream.received.hasPrefix("GET http://far.example/x HTTP/1.1\r\n"), "\(upstream.received)")
        #expect(upstream.connections == 1 && !upstream.received.contains("Proxy-"))
        await upstream.stop()
    }

    @Test(
        "what it does not open is told as that",
        arguments: [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                "it wants a password"
            ),
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "it refused"),
            ("no HTTP at all\r\n\r\n", "it refused, or closed"),
        ]
    )
    func refusals(_ reply: String, _ words: String) async throws {
        let upstream = try await TestHost.start(.bytes(reply))
        let (_, uses) = try await ProxyFixture.with(upstream: "http://127-0-0-1.example:\(upstream.port)") {
            let answer = try await $0.ask("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains(words), "\(answer)")
        }
        #expect(uses.first?.verdict.isAllowed == false)
        await upstream.stop()
    }

    @Test("its own address is vetted")
    func vetted() async throws {
        let upstream = try await TestHost.start(.http)
        _ = try await ProxyFixture.with(upstream: "http://near.example:\(upstream.port)", exempt: false) {
            $0.resolver.set("near.example", ["127.0.0.1"])
            let answer = try await $0.ask("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n")
            #expect(answer.contains("the operator's proxy leads to a loopback address"), "\(answer)")
        }
        #expect(upstream.connections == 0)
        await upstream.stop()
    }

    @Test("its password is in no answer, whoever says it again")
    func masked() async throws {
        let said = "you said Basic bWU6cEBzc3dvcmQ and mean p@ssword"
        let reply =
            "HTTP/1.1 403 p@ssword\r\nX: p@ssword\r\nContent-Length: \(said.utf8.count)\r\n\r\n\(said)"
        let upstream = try await TestHost.start(.bytes(reply))
        let address = "http://me:p%40ssword@127-0-0-1.example:\(upstream.port)"
        _ = try await ProxyFixture.with(upstream: address) {
            let answer = try await $0.ask(
                "GET http://far.example/ HTTP/1.1\r\nHost: far.example\r\nConnection: close\r\n\r\n"
            )
            #expect(upstream.received.contains("Proxy-Authorization: Basic bWU6cEBzc3dvcmQ="))
            #expect(!answer.contains("p@ssword") && !answer.contains("bWU6cEBzc3dvcmQ"), "\(answer)")
            #expect(answer.hasSuffix("you said Basic *************** and mean ********"), "\(answer)")
        }
        await upstream.stop()
    }
}
