// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import Testing

@testable import DrydockServer

@Suite("Limits of connections", .timeLimit(.minutes(1)))
struct LimitTests {
    @Test("a head that does not come whole in time ends the connection, also where bytes trickle in")
    func slowHead() async throws {
        try await withServer {
            $0.headPatience = .milliseconds(200)
        } _: { server in
            try await server.connect { client in
                try await client.send(Array("GET /healthz HTTP/1.1\r\nHost: loc".utf8))
                try await client.end()
            }
            #expect(try await server.request("GET", "/healthz").status == 200)
        }
    }

    @Test("a client that says too much is sent away with 1008; others go on")
    func tooManyMessages() async throws {
        try await withServer {
            $0.messageBurst = 20
        } _: { server in
            try await server.watch("s") { other in
                try await server.connect { client in
                    try await client.upgrade()
                    // What is sent after the server closed may be refused here already.
                    do { for _ in 0..<200 { try await client.say(#"{"type":"PING"}"#) } } catch {}
                    var frame = try await client.frame()
                    while frame.opcode != 0x8 { frame = try await client.frame() }
                    #expect(frame.payload.prefix(2) == [0x03, 0xF0])
                }
                try await other.say(#"{"type":"PING"}"#)
                #expect(try await other.message()["type"]?.string == "PONG")
            }
        }
    }

    @Test("sessions that a client made up are forgotten when it leaves them")
    func madeUpSessions() async throws {
        try await withServer { server in
            try await server.connect { client in
                try await client.upgrade()
                for index in 0..<100 {
                    try await client.say(#"{"type":"INIT","session_id":"made-up-\#(index)"}"#)
                }
                // Each look is a request and an answer; the time limit ends it.
                while try await !server.request("GET", "/metrics").text.contains("drydock_ws_sessions 1\n") {}
            }
        }
    }

    @Test("an allowance is spent, and fills up again at its rate")
    func allowance() {
        let start = NIODeadline.now()
        var allowance = MessageAllowance(burst: 3, perSecond: 10, now: start)
        let taken = [0, 0, 0, 0, 100, 100, 60_000, 60_000, 60_000, 60_000].map { (after: Int64) in
            allowance.take(at: start + .milliseconds(after))
        }
        #expect(taken == [true, true, true, false, true, false, true, true, true, false])
    }

    @Test("connections are counted in all, and by address for those from outside")
    func ledger() throws {
        let ledger = ConnectionLedger(most: 4, perAddress: 2)
        let (here, there) = (
            try SocketAddress(ipAddress: "127.0.0.1", port: 1),
            try SocketAddress(ipAddress: "10.0.0.1", port: 1)
        )
        #expect([there, there, there].map { ledger.enter($0) } == [true, true, false])
        #expect([here, here, here].map { ledger.enter($0) } == [true, true, false])
        ledger.leave(there)
        #expect(ledger.enter(there))
        #expect(!ledger.enter(nil))
        ledger.leave(here)
        #expect(!ledger.enter(there))
        #expect(ledger.enter(here))
    }
}
