// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import NIOEmbedded
import NIOHTTP1
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

    /// A connection on which an answer has begun, and what its client takes of `bytes` in each of the next turns.
    private func isClosed(taking turns: [Int], of bytes: Int) throws -> Bool {
        let channel = EmbeddedChannel(handlers: [HTTPResponseEncoder(), RequestPace(.init())])
        try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 1)).wait()
        try channel.writeInbound(HTTPServerRequestPart.head(.init(version: .http1_1, method: .GET, uri: "/")))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "9999999"])
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.flush()
        for turn in turns {
            // Nothing goes out before it is flushed: as with a client whose window is closed.
            if turn > 0 {
                channel.write(
                    HTTPServerResponsePart.body(.byteBuffer(.init(repeating: 0x78, count: turn))),
                    promise: nil
                )
                channel.flush()
            }
            if bytes > 0 {
                channel.write(
                    HTTPServerResponsePart.body(.byteBuffer(.init(repeating: 0x78, count: bytes))),
                    promise: nil
                )
            }
            channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        }
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        return !channel.isActive
    }

    @Test("who takes nothing of an answer is closed; who is slow, and a stream with nothing to send, is not")
    func nothingTaken() throws {
        #expect(try isClosed(taking: [0], of: 64 << 10))
        #expect(try isClosed(taking: [8 << 10, 8 << 10, 0, 0], of: 64 << 10))
        #expect(try isClosed(taking: [100, 100], of: 64 << 10))
        #expect(try !isClosed(taking: Array(repeating: 8 << 10, count: 20), of: 1 << 10))
        #expect(try !isClosed(taking: Array(repeating: 0, count: 1_000), of: 0))
        #expect(try !isClosed(taking: Array(repeating: 100, count: 1_000), of: 0))
    }

    /// A connection whose one request asks for `method`, with or without the end of its body.
    private func paced(_ method: HTTPMethod, isWhole: Bool) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handlers: [HTTPResponseEncoder(), RequestPace(.init())])
        try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 1)).wait()
        try channel.writeInbound(
            HTTPServerRequestPart.head(.init(version: .http1_1, method: method, uri: "/"))
        )
        if isWhole { try channel.writeInbound(HTTPServerRequestPart.end(nil)) }
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "9999999"])
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        return channel
    }

    @Test("the time for the next request begins when the answer was taken, not when it was given")
    func nextHead() throws {
        let channel = try paced(.GET, isWhole: true)
        channel.write(HTTPServerResponsePart.end(nil), promise: nil)
        let piece = HTTPServerResponsePart.body(.byteBuffer(.init(repeating: 0x78, count: 8 << 10)))
        for _ in 0..<20 {
            // The rest of the answer, whose end was given long ago: some of it is taken, and some still waits.
            channel.write(piece, promise: nil)
            channel.flush()
            channel.write(piece, promise: nil)
            channel.embeddedEventLoop.advanceTime(by: .seconds(30))
            #expect(channel.isActive)
        }
        channel.flush()
        channel.embeddedEventLoop.advanceTime(by: .seconds(150))
        #expect(!channel.isActive)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a request that was answered before its body was whole leaves no connection that waits for ever")
    func answeredEarly() throws {
        let channel = try paced(.POST, isWhole: false)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .seconds(74))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
        _ = try? channel.finish(acceptAlreadyClosed: true)
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

    @Test("half of the descriptors are left to the files that are sent, and more to the store")
    func descriptors() {
        for count in [256, 1_024, 65_536] { #expect(ConnectionLedger.most(of: count) * 2 < count * 9 / 10) }
    }

    @Test("an IPv6 network counts as one, and IPv4 in IPv6's clothes as what it is")
    func networks() {
        func taken(_ addresses: [String]) -> [Bool] {
            let ledger = ConnectionLedger(most: 100, perAddress: 1)
            return addresses.map { ledger.enter(IPAddress($0)) }
        }
        #expect(
            taken(["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:1::1"]) == [true, false, true]
        )
        #expect(taken(["::ffff:10.0.0.1", "::ffff:10.0.0.2", "10.0.0.1"]) == [true, true, false])
        #expect(
            taken(["::1", "::1", "::ffff:127.0.0.1", "::ffff:127.0.0.2"]) == [true, true, true, true]
        )
    }

    @Test("connections are counted in all, and by address for those from outside")
    func ledger() {
        let ledger = ConnectionLedger(most: 4, perAddress: 2)
        let (here, there) = (IPAddress("127.0.0.1"), IPAddress("10.0.0.1"))
        #expect([there, there, there].map { ledger.enter($0) } == [true, true, false])
        #expect([here, here, here].map { ledger.enter($0) } == [true, true, false])
        ledger.leave(there)
        #expect(ledger.enter(there))
        #expect(!ledger.enter(nil))
        ledger.leave(here)
        #expect(!ledger.enter(there))
        #expect(ledger.enter(here))
    }

    @Test("of connections that hold no file there may be twice as many")
    func filelessConnections() {
        let ledger = ConnectionLedger(most: 4, perAddress: 9)
        var open = 0
        while ledger.enter(nil) {
            ledger.keepsNoFile()
            open += 1
        }
        #expect(open == 7, "the last one would not be one of these yet")
        ledger.takesBackRoom()
        ledger.leave(nil)
        #expect(ledger.enter(nil))
        #expect(!ledger.enter(nil))
    }
}
