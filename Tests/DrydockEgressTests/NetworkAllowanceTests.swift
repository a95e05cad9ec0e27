// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Testing

@testable import DrydockEgress

@Suite("What a sandbox may move over the network", .timeLimit(.minutes(1)))
struct NetworkAllowanceTests {
    private static let cut = NetworkUse.Verdict.denied(reason: NetworkUse.reason(ofLimit: .mebibytes(1)))

    /// Of what is sent through a tunnel to a host that sends it back, how much comes back.
    private func echo(_ count: Int, through fixture: ProxyFixture) async throws -> Int {
        let host = "good.example:\(fixture.host.port)"
        let client = try RawClient(port: fixture.proxyPort, patience: .seconds(5))
        let hello = TLSBytes.hello(for: "good.example")
        async let sent: Void = Blocking.run {
            client.send(Array("CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8) + hello)
            client.send([UInt8](repeating: 7, count: count))
            client.endOutput()
        }
        let answer = await Blocking.run { client.readAll() }
        await sent
        return max(answer.count - 39 - hello.count, 0)
    }

    private func get(_ fixture: ProxyFixture, _ fields: String = "") async throws -> String {
        let host = "good.example:\(fixture.host.port)"
        return try await fixture.ask(
            "GET http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\n\(fields)Connection: close\r\n\r\n"
        )
    }

    @Test("a tunnel is cut off at the limit, new ones are refused, and another sandbox goes on")
    func tunnel() async throws {
        let (_, uses) = try await ProxyFixture.with(answer: .echo, limit: .mebibytes(1)) { fixture in
            #expect(try await echo(100_000, through: fixture) == 100_000)
            #expect(try await echo(4 << 20, through: fixture) < 1 << 20)
            let (_, others) = try await ProxyFixture.with(answer: .echo, limit: .mebibytes(1)) { other in
                let back = try await echo(100_000, through: other)
                #expect(back == 100_000)
            }
            #expect(others.allSatisfy { $0.verdict.isAllowed })
            let host = "good.example:\(fixture.host.port)"
            let refused = try await fixture.ask("CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(refused.hasPrefix("HTTP/1.1 403") && refused.contains("limits.network"), "\(refused)")
            #expect(try await get(fixture).hasPrefix("HTTP/1.1 403"))
        }
        #expect(uses.first { $0.verdict == Self.cut }?.connections == 3, "\(uses)")
        let moved = uses.reduce(0) { $0 + $1.sent.bytes + $1.received.bytes }
        #expect(moved <= 1 << 20 && moved > 1 << 19, "\(moved)")
        // Without a limit it all goes through.
        _ = try await ProxyFixture.with(answer: .echo) { fixture in
            let back = try await echo(4 << 20, through: fixture)
            #expect(back == 4 << 20)
        }
    }

    @Test("heads of requests count, and a request's answer is cut off and not taken for whole")
    func requests() async throws {
        let fields = "X-Much: \(String(repeating: "x", count: 30_000))\r\n"
        let (_, uses) = try await ProxyFixture.with(limit: .mebibytes(1)) { fixture in
            var answers: [Substring] = []
            for _ in 0..<40 { answers.append(try await get(fixture, fields).prefix(12)) }
            #expect(answers.first == "HTTP/1.1 200" && answers.last == "HTTP/1.1 403")
            #expect(fixture.host.received.utf8.count <= 1 << 20)
        }
        #expect(uses.contains { $0.verdict == Self.cut })
        let much =
            "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + String(repeating: "x", count: 4_000_000)
        let (got, long) = try await ProxyFixture.with(answer: .bytes(much), limit: .mebibytes(1)) { fixture in
            try await get(fixture).utf8.count
        }
        #expect(got < 1 << 20 && got > 1 << 18, "\(got)")
        #expect(long.contains { $0.verdict == Self.cut } && long.contains { $0.verdict.isAllowed }, "\(long)")
    }

    @Test("what does not fit is not moved, and neither is anything after it")
    func count() {
        let allowance = NetworkAllowance(ByteCount(10))
        #expect(allowance.take(9) && !allowance.isSpent)
        #expect(!allowance.take(2) && !allowance.take(1) && allowance.isSpent)
        let whole = NetworkAllowance(ByteCount(10))
        #expect(whole.take(10) && whole.isSpent)
    }
}
