// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import DrydockServer

@Suite("HTTP/2", .timeLimit(.minutes(1)))
struct HTTP2Tests {
    private static let plain = [(":method", "GET"), (":scheme", "https"), (":path", "/healthz")]

    @Test("a request names its host by :authority, or by host where that is left out; two hosts are refused")
    func hosts() async throws {
        let cases: [([(String, String)], Int)] = [
            ([(":authority", "localhost")], 200), ([("host", "localhost")], 200),
            ([(":authority", "localhost"), ("host", "LOCALHOST:443")], 200),
            ([(":authority", "localhost"), ("host", "127.0.0.1")], 400),
            ([(":authority", "localhost:443"), ("host", "localhost:444")], 400),
            ([("host", "localhost"), ("host", "localhost")], 400),
            ([(":authority", "localhost"), ("host", "")], 400), ([], 400),
        ]
        try await withSecureServer { server, identity in
            let tls = try identity.client(["h2"])
            try await server.connect(over: tls) { client in
                try await client.greet()
                for (number, (headers, status)) in cases.enumerated() {
                    let stream = UInt8(number * 2 + 1)
                    try await client.ask(stream, Self.plain + headers)
                    #expect(try await client.status(stream) == status, "\(headers)")
                }
            }
        }
    }

    @Test(
        "a connection that asks for nothing is closed, greeted or not; others go on",
        arguments: [true, false]
    )
    func silent(isGreeted: Bool) async throws {
        try await withSecureServer {
            $0.headPatience = .milliseconds(300)
            $0.shutdownPatience = .milliseconds(100)
        } _: { server, identity in
            let tls = try identity.client(["h2"])
            try await server.connect(over: tls) { client in
                if isGreeted { try await client.greet() }
                try await client.end()
            }
            #expect(try await identity.curl(["https://localhost:\(server.port)/healthz"]) == "ok\n")
        }
    }

    @Test("a connection is closed a while after its last stream, and not while one is open")
    func idle() throws {
        let patience = RequestPace.Patience()
        let pace = SecurePace(patience)
        let channel = EmbeddedChannel(handlers: [pace])
        try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 1)).wait()
        let loop = channel.embeddedEventLoop
        channel.pipeline.fireUserInboundEventTriggered(
            TLSUserEvent.handshakeCompleted(negotiatedProtocol: "h2")
        )
        loop.advanceTime(by: patience.firstHead)
        pace.streamBegan()
        pace.streamBegan()
        loop.advanceTime(by: .hours(1))
        pace.streamEnded(on: loop)
        loop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        pace.streamEnded(on: loop)
        loop.advanceTime(by: patience.nextHead)
        #expect(channel.isActive, "it may answer the goodbye")
        loop.advanceTime(by: patience.shutdown)
        #expect(!channel.isActive)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a stream counts as a connection for as long as it is open, and one too many is closed")
    func ledger() throws {
        let ledger = ConnectionLedger(most: 2, perAddress: 9)
        #expect(ledger.enter(nil), "the connection")
        let first = EmbeddedChannel(handlers: [StreamPace(.init(), ledger)])
        let second = EmbeddedChannel(handlers: [StreamPace(.init(), ledger)])
        #expect(throws: ChannelError.self, "it was closed before") { try second.finish() }
        #expect(!ledger.enter(nil), "the one that was refused gave nothing back")
        #expect(throws: Never.self) { try first.finish() }
        let third = EmbeddedChannel(handlers: [StreamPace(.init(), ledger)])
        #expect(throws: Never.self) { try third.finish() }
        #expect(ledger.enter(nil) && !ledger.enter(nil))
    }
}
