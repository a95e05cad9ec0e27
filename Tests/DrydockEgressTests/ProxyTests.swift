// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Testing

@testable import DrydockEgress

@Suite("The proxy", .timeLimit(.minutes(2)))
struct ProxyTests {
    private func request(
        _ fixture: ProxyFixture,
        _ line: String,
        fields: String = "",
        body: String = ""
    ) -> String {
        let host = "good.example:\(fixture.host.port)"
        return "\(line.replacing("HOST", with: host)) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n\(body)"
    }

    @Test("a request is passed on without what is for the proxy, and written down")
    func passedOn() async throws {
        let (received, uses) = try await ProxyFixture.with { fixture in
            let fields =
                "Proxy-Authorization: Basic x\r\nProxy-Connection: keep-alive\r\nX-Hop: 1\r\nConnection: X-Hop, close\r\n"
                + "TE: trailers\r\nX-Kept: yes\r\nContent-Length: 3\r\n"
            let text = request(fixture, "POST http://HOST/a?b=%20c", fields: fields, body: "abc")
            let answer = try await fixture.ask(text)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nok"), "\(answer)")
            return fixture.host.received
        }
        #expect(
            received.hasPrefix("POST /a?b=%20c HTTP/1.1\r\n") && received.hasSuffix("\r\n\r\nabc"),
            "\(received)"
        )
        #expect(received.contains("X-Kept: yes") && received.contains("Host: good.example:"))
        for gone in ["Proxy-", "X-Hop", "TE:", "keep-alive"] {
            #expect(!received.contains(gone), "\(received)")
        }
        let use = try #require(uses.first)
        #expect(
            uses.count == 1 && use.host == "good.example"
                && use.verdict == .allowed(rule: "good.example:\(use.port)")
        )
        #expect(use.sent == ByteCount(3) && use.received == ByteCount(2) && use.connections == 1)
    }

    @Test("one connection carries many requests, each of them checked")
    func keepAlive() async throws {
        let (received, uses) = try await ProxyFixture.with { fixture in
            let good = request(fixture, "GET http://HOST/1")
            let bad = good.replacing("good.example", with: "evil.example")
            let last = request(fixture, "GET http://HOST/3")
            let answer = try await fixture.ask(good + good + bad + last)
            #expect(
                answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["200", "200", "403"],
                "\(answer)"
            )
            return fixture.host.received
        }
        #expect(!received.contains("/3") && !received.contains("evil"))
        #expect(uses.map(\.connections) == [1, 2])
    }

    @Test("a body in chunks goes on in chunks, and one without an end is not taken for whole")
    func chunks() async throws {
        let (received, _) = try await ProxyFixture.with { fixture in
            let fields = "Transfer-Encoding: chunked\r\nConnection: close\r\n"
            return try await (
                fixture.ask(
                    request(
                        fixture,
                        "PUT http://HOST/",
                        fields: fields,
                        body: "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                    )
                ),
                fixture.host.received
            )
        }
        #expect(received.0.hasPrefix("HTTP/1.1 200"))
        #expect(received.1.contains("3\r\nabc\r\n") && received.1.hasSuffix("0\r\n\r\n"), "\(received.1)")
        _ = try await ProxyFixture.with(answer: .bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"))
        { fixture in
            let answer = try await fixture.ask(
                request(fixture, "GET http://HOST/", fields: "Connection: close\r\n")
            )
            #expect(answer.contains("Content-Length: 100") || answer.contains("content-length: 100"))
        }
    }

    @Test("HEAD, HTTP/1.0 and an answer that ends with its connection are told apart")
    func lengths() async throws {
        _ = try await ProxyFixture.with(answer: .bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) {
            fixture in
            let answer = try await fixture.ask(
                request(fixture, "HEAD http://HOST/", fields: "Connection: close\r\n")
            )
            #expect(
                answer.lowercased().contains("content-length: 5\r\n") && answer.hasSuffix("\r\n\r\n"),
                "\(answer)"
            )
        }
        _ = try await ProxyFixture.with { fixture in
            let host = "good.example:\(fixture.host.port)"
            let answer = try await fixture.ask("GET http://\(host)/ HTTP/1.0\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.0 200") && answer.hasSuffix("ok"), "\(answer)")
        }
    }

    @Test("what can not be reached is told from what must not be")
    func unreachable() async throws {
        let (_, uses) = try await ProxyFixture.with(
            rules: ["nowhere.example:80", "gone.example:1"],
            names: ["nowhere.example": [], "gone.example": ["127.0.0.1"]]
        ) { fixture in
            let nowhere = try await fixture.ask(
                "GET http://nowhere.example/ HTTP/1.1\r\nHost: nowhere.example\r\n\r\n"
            )
            #expect(nowhere.hasPrefix("HTTP/1.1 502") && nowhere.contains("has no address"), "\(nowhere)")
            let gone = try await fixture.ask(
                "CONNECT gone.example:1 HTTP/1.1\r\nHost: gone.example:1\r\n\r\n"
            )
            #expect(gone.hasPrefix("HTTP/1.1 502") && gone.contains("refused the connection"), "\(gone)")
            let evil = try await fixture.ask(
                "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"
            )
            #expect(
                evil.hasPrefix("HTTP/1.1 403") && evil.contains("evil.example:443 is not among"),
                "\(evil)"
            )
        }
        #expect(uses.allSatisfy { !$0.verdict.isAllowed } && uses.count == 3)
    }

    @Test("a name is asked for once, however many connections want it")
    func lookups() async throws {
        _ = try await ProxyFixture.with { fixture in
            let text = request(fixture, "GET http://HOST/", fields: "Connection: close\r\n")
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<40 { group.addTask { try await fixture.ask(text).hasSuffix("ok") } }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(fixture.resolver.count("good.example") == 1)
            // Answered differently now: the first answer was vetted, and goes on counting.
            fixture.resolver.set("good.example", ["10.0.0.1"])
            #expect(try await fixture.ask(text).hasSuffix("ok"))
        }
    }

    @Test("a tunnel carries much both ways at once, and each way ends by itself")
    func large() async throws {
        let (count, uses) = try await ProxyFixture.with(answer: .echo) { fixture in
            let host = "good.example:\(fixture.host.port)"
            let open = Array("CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
            let hello = TLSBytes.hello(for: "good.example")
            let client = try RawClient(port: fixture.proxyPort, patience: .seconds(20))
            let block = [UInt8](repeating: 0x55, count: 1 << 20)
            async let sent: Void = Blocking.run {
                client.send(open + hello)
                for _ in 0..<32 { client.send(block) }
                client.endOutput()
            }
            let count = await Blocking.run { client.readAll().count }
            await sent
            return count
        }
        let hello = TLSBytes.hello(for: "good.example").count
        #expect(count == 32 << 20 + hello + "HTTP/1.1 200 Connection established\r\n\r\n".utf8.count)
        #expect(uses.first?.sent.bytes == Int64(32 << 20 + hello) && uses.first?.received == uses.first?.sent)
    }

    @Test("there may be many clients, and not more; those that are there go on")
    func crowd() async throws {
        _ = try await ProxyFixture.with { fixture in
            let text = request(fixture, "GET http://HOST/", fields: "Connection: close\r\n")
            var idle: [RawClient] = []
            for _ in 0..<(Egress.mostClients + 50) {
                idle.append(try RawClient(port: fixture.proxyPort, patience: .seconds(1)))
            }
            // The last ones were turned away.
            let (first, last) = (idle[0], idle[idle.count - 1])
            let turned = await Blocking.run { last.read() }
            #expect(turned.isEmpty)
            let answer = await Blocking.run {
                first.send(Array(text.utf8))
                return String(decoding: first.read(), as: UTF8.self)
            }
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            for client in idle { client.close() }
        }
    }

    @Test("a head without an end is cut off")
    func endlessHead() async throws {
        _ = try await ProxyFixture.with { fixture in
            let fields = String(
                repeating: "X-Field: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
                count: 4_000
            )
            let answer = try await fixture.ask("GET http://good.example/ HTTP/1.1\r\n\(fields)")
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"))
            #expect(fixture.host.connections == 0)
        }
    }

    @Test("when the sandbox ends its connections end, and are in the ledger")
    func stopped() async throws {
        let (client, uses) = try await ProxyFixture.with(answer: .echo) { fixture in
            let host = "good.example:\(fixture.host.port)"
            let client = try RawClient(port: fixture.proxyPort, patience: .seconds(10))
            let hello = TLSBytes.hello(for: "good.example")
            await Blocking.run {
                client.send(Array("CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8))
                _ = client.read()
                client.send(hello)
                _ = client.read()
            }
            return client
        }
        #expect(await Blocking.run { client.readAll() }.isEmpty)
        #expect(uses.count == 1 && uses[0].verdict.isAllowed && uses[0].received.bytes > 0)
    }

    @Test("a host that ends without an answer is told at once")
    func silentHost() async throws {
        let (answer, _) = try await ProxyFixture.with(answer: .nothing) { fixture in
            try await fixture.ask(request(fixture, "GET http://HOST/"))
        }
        #expect(answer.hasPrefix("HTTP/1.1 502") && answer.contains("ended the connection"), "\(answer)")
    }

    @Test("a client that has said all gets its answer and the end, also behind an upgrade that is none")
    func halfClosed() async throws {
        _ = try await ProxyFixture.with { fixture in
            for fields in [
                "", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n",
            ] {
                let client = try RawClient(port: fixture.proxyPort, patience: .seconds(5))
                let text = request(fixture, "GET http://HOST/", fields: fields)
                let answer = await Blocking.run {
                    client.send(Array(text.utf8))
                    if fields.isEmpty { client.endOutput() }
                    return String(decoding: client.readAll(), as: UTF8.self)
                }
                #expect(answer.hasSuffix("ok"), "\(answer)")
                #expect(fields.isEmpty || answer.lowercased().contains("connection: close"), "\(answer)")
            }
        }
    }

    @Test("names that are refused do not hide those that are reached")
    func ledgerOfBoth() {
        let ledger = EgressLedger()
        for number in 0..<1_000 { ledger.add(Refusal(.denied, host: "\(number).example", port: 1, "no")) }
        for number in 0..<200 {
            ledger.add(
                NetworkUse(host: "good\(number).example", port: 443, verdict: .allowed(rule: "*.example"))
            )
        }
        #expect(ledger.uses.count { $0.verdict.isAllowed && $0.host.hasPrefix("good") } == 200)
    }

    @Test("a ledger has an end, whatever names are tried")
    func ledger() {
        let ledger = EgressLedger()
        for number in 0..<10_000 {
            ledger.add(Refusal(.denied, host: "\(number).example\u{1B}[2J", port: 1, "no"))
        }
        let uses = ledger.uses
        #expect(uses.count <= NetworkLedger.mostLines + 1)
        #expect(uses.reduce(0) { $0 + $1.connections } == 10_000)
        #expect(uses.allSatisfy { use in use.host.utf8.allSatisfy { (0x21...0x7E).contains($0) } })
    }

    @Test("what the operator does not want looked into carries anything, and its neighbour TLS alone")
    func opaque() async throws {
        for (rules, carries) in [(["good.example:PORT"], true), (["good.example:1"], false), ([], false)] {
            _ = try await ProxyFixture.with(answer: .bytes("SSH-2.0-host\r\n"), opaque: rules) { fixture in
                let host = "good.example:\(fixture.host.port)"
                let open = "CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
                let answer = try await fixture.ask(open, then: Array("SSH-2.0-me\r\n".utf8))
                #expect(answer.contains("SSH-2.0-host") == carries, "\(rules): \(answer)")
                #expect((fixture.host.received == "SSH-2.0-me\r\n") == carries)
            }
        }
    }
}
