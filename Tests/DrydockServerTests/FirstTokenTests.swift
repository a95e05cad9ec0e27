// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import NIOCore
import Testing

@testable import DrydockServer

@Suite("A token in the first message", .timeLimit(.minutes(1)))
struct FirstTokenTests {
    private static func withToken(
        _ change: (inout ServerOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (RunningServer) async throws -> Void
    ) async throws {
        try await withServer {
            $0.tokens = [SHA256Hasher.digest(of: "secret".utf8)]
            change(&$0)
        } _: {
            try await body($0)
        }
    }

    /// What comes up to the close: messages, and the close frame's code.
    private static func ending(_ client: RawClient) async throws -> (texts: [String], code: Int) {
        var texts: [String] = []
        while true {
            let frame = try await client.frame()
            if frame.opcode == 0x1 { texts.append(String(decoding: frame.payload, as: UTF8.self)) }
            if frame.opcode == 0x8 { return (texts, frame.payload.prefix(2).reduce(0) { $0 << 8 | Int($1) }) }
        }
    }

    @Test("a right token admits, and what was said behind it is heard in its order")
    func admitted() async throws {
        try await Self.withToken { server in
            let build = try await server.enqueue("s")
            try await server.connect { client in
                try await client.upgrade()
                let first = #"{"type":"INIT","session_id":"s","token":"secret"}"#
                // In one piece: the next messages are there before the token was looked at.
                let cancel = #"{"type":"CANCEL","build_id":"\#(build.id)"}"#
                let next = [first, #"{"type":"PING"}"#, cancel]
                try await client.send(next.flatMap { clientFrame(0x81, Array($0.utf8)) })
                let messages = try await client.messages(until: "build_error")
                #expect(messages.types.contains("PONG"))
            }
            #expect(try await server.store.audit(limit: 9).map(\.action) == ["cancelBuild"])
        }
    }

    @Test(
        "anything else is answered with an error, and the connection closed for good",
        arguments: [
            #"{"type":"INIT","session_id":"s","token":"wrong"}"#, #"{"type":"INIT","session_id":"s"}"#,
            #"{"type":"INIT","session_id":"s","token":7}"#, #"{"type":"PING","token":"secret"}"#,
            #"{"type":"CANCEL"}"#, "no JSON",
        ]
    )
    func refused(message: String) async throws {
        try await Self.withToken { server in
            _ = try await server.enqueue("s")
            try await server.connect { client in
                try await client.upgrade()
                // In one piece: what comes behind it is heard by nobody.
                let late = #"{"type":"INIT","session_id":"s","token":"secret"}"#
                try await client.send([message, late].flatMap { clientFrame(0x81, Array($0.utf8)) })
                let (texts, code) = try await Self.ending(client)
                #expect(code == 4501)
                #expect(texts.count == 1 && texts[0].contains(#""code":"unauthorized""#))
            }
        }
    }

    @Test("a first message is small, text, and comes in time")
    func bounds() async throws {
        try await Self.withToken {
            $0.tokenPatience = .milliseconds(200)
        } _: { server in
            try await server.connect { client in
                try await client.upgrade()
                #expect(try await Self.ending(client).code == 4501)
            }
            try await server.connect { client in
                try await client.upgrade()
                let long = String(repeating: "s", count: 4_096)
                try await client.say(#"{"type":"INIT","session_id":"\#(long)","token":"secret"}"#)
                #expect(try await Self.ending(client).code == 1009)
            }
            try await server.connect { client in
                try await client.upgrade()
                try await client.send(clientFrame(0x82, [1]))
                #expect(try await Self.ending(client).code == 4501)
            }
        }
    }

    @Test("an admitted connection may send long messages, and is not timed")
    func afterwards() async throws {
        try await Self.withToken {
            $0.tokenPatience = .milliseconds(100)
            $0.pingInterval = .milliseconds(150)
        } _: { server in
            try await server.connect { client in
                try await client.upgrade()
                try await client.say(#"{"type":"USER","session_id":"s","token":"secret"}"#)
                while try await client.frame().opcode != 0x9 {}
                let long = String(repeating: " ", count: 100_000)
                try await client.say(#"{"type":"PING"\#(long)}"#)
                #expect(try await client.message()["type"]?.string == "PONG")
            }
        }
    }

    private static func status(_ client: RawClient) async throws -> Int {
        try await client.request("GET", "/ws", headers: RawClient.handshake)
        return try await client.head().status
    }

    @Test("connections that wait for a token are bounded, and leave room as they end")
    func waiting() async throws {
        try await Self.withToken {
            $0.waitingConnections = 1
        } _: { server in
            try await server.connect { first in
                #expect(try await Self.status(first) == 101)
                #expect(try await server.connect { try await Self.status($0) } == 429)
                try await first.say(#"{"type":"INIT","session_id":"s","token":"secret"}"#)
                try await first.say(#"{"type":"PING"}"#)
                #expect(try await first.message()["type"]?.string == "PONG")
                #expect(try await server.connect { try await Self.status($0) } == 101)
            }
        }
    }

    @Test("a token holds so many connections, whichever way it came")
    func perToken() async throws {
        try await Self.withToken {
            $0.connectionsPerToken = 1
        } _: { server in
            try await server.connect { first in
                try await first.upgrade()
                try await first.say(#"{"type":"INIT","session_id":"s","token":"secret"}"#)
                try await first.say(#"{"type":"PING"}"#)
                _ = try await first.messages(until: "PONG")
                try await server.connect { client in
                    let headers = RawClient.handshake.merging(["Authorization": "Bearer secret"]) { $1 }
                    try await client.request("GET", "/ws", headers: headers)
                    #expect(try await client.head().status == 429)
                }
                try await server.connect { client in
                    try await client.upgrade()
                    try await client.say(#"{"type":"INIT","session_id":"s","token":"secret"}"#)
                    let (texts, code) = try await Self.ending(client)
                    #expect(code == 4429 && texts.first?.contains("too_many_connections") == true)
                }
            }
        }
    }

    @Test("without tokens a first message may have one, which nobody reads")
    func none() async throws {
        try await withServer { server in
            try await server.connect { client in
                try await client.upgrade()
                try await client.say(#"{"type":"INIT","session_id":"s","token":"x"}"#)
                try await client.say(#"{"type":"PING"}"#)
                #expect(try await client.messages(until: "PONG").count == 1)
            }
        }
    }
}
