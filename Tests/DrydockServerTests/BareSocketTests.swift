// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import DrydockServer

@Suite("Bytes that go past the pipeline", .timeLimit(.minutes(1)))
struct BareSocketTests {
    private struct Silent: WebSocketDelegate {
        func opened(_ connection: WebSocketHandler) {}
        func received(_ input: WebSocketInput, from connection: WebSocketHandler) {}
        func becameWritable(_ connection: WebSocketHandler) {}
        func closed(_ connection: WebSocketHandler) {}
        func wrote(bytes: Int) {}
    }

    /// A connection over a pair of sockets that hold little, and its peer's descriptor.
    private struct Pair {
        let channel: any Channel
        let connection: NIOLoopBound<WebSocketHandler>
        /// Where it sits, alone.
        let row: NIOLoopBound<SeatRow>
        let peer: CInt

        static func run(
            on loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(),
            _ body: (Pair) async throws -> Void
        ) async throws {
            var ends: [CInt] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            var size: CInt = 16 << 10
            setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
            let channel = try await ClientBootstrap(group: loop)
                .withConnectedSocket(ends[0]).get()
            let connection = try await channel.eventLoop.submit {
                let handler = WebSocketHandler(
                    delegate: Silent(),
                    rules: .init(longestMessage: 1 << 10),
                    allowance: MessageAllowance(burst: 1_000, perSecond: 1_000, now: .now()),
                    encoder: FrameEncoder(),
                    deflate: nil
                )
                try channel.pipeline.syncOperations.addHandler(handler)
                return NIOLoopBound(handler, eventLoop: channel.eventLoop)
            }.get()
            let row = try await channel.eventLoop.submit {
                let row = SeatRow()
                row.add(connection.value)
                return NIOLoopBound(row, eventLoop: channel.eventLoop)
            }.get()
            let pair = Pair(channel: channel, connection: connection, row: row, peer: ends[1])
            defer { Glibc.close(ends[1]) }
            try await body(pair)
            try? await channel.close()
        }

        /// Does `work` on the connection's loop.
        func onLoop<Result: Sendable>(
            _ work: @escaping @Sendable (WebSocketHandler) -> Result
        ) async throws -> Result {
            try await channel.eventLoop.submit { [connection] in work(connection.value) }.get()
        }

        /// Sends to all in the row; how many bytes their sockets were handed.
        func send(_ batch: FrameBatch) async throws -> Int {
            try await channel.eventLoop.submit { [row] in row.value.send(batch).bytes }.get()
        }

        /// Reads so many bytes.
        func read(_ count: Int) async throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            var got = 0
            while got < count {
                let step = bytes[got...].withUnsafeMutableBytes {
                    recv(peer, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT))
                }
                if step > 0 {
                    got += step
                } else {
                    try #require(step < 0 && errno == EAGAIN, "only \(got) of \(count) bytes came")
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
            return bytes
        }
    }

    /// The frames of messages as a batch, and its bytes.
    private static func batch(_ texts: [String], maySkip: Bool = false) -> (FrameBatch, [UInt8]) {
        var batch = FrameBatch()
        let encoder = FrameEncoder()
        for text in texts {
            batch.add(encoder.frame(.text, Array(text.utf8), deflating: false), maySkip: maySkip)
        }
        return (batch, Array(batch.form(readsDeflated: false).all.readableBytesView))
    }

    @Test(
        "messages to all, to one, and pings come in the order in which they were sent, however little the peer takes"
    )
    func order() async throws {
        try await Pair.run { pair in
            var expected: [UInt8] = []
            for round in 0..<20 {
                // Some rounds find an empty socket, some a full one, and some a channel that holds bytes.
                let length = [1, 100, 10_000, 60_000][round % 4]
                let (batch, bytes) = Self.batch(
                    (0..<3).map { "\(round).\($0)" + String(repeating: "x", count: length) }
                )
                let own = Self.batch(["own \(round)"]).1
                let sent = try await pair.send(batch)
                try await pair.onLoop { $0.send(ByteBuffer(bytes: own)) }
                #expect(sent == bytes.count)
                expected += bytes + own
                if round % 3 == 2 {
                    let came = try await pair.read(expected.count)
                    #expect(came == expected, "in round \(round)")
                    expected = []
                }
            }
            let came = try await pair.read(expected.count)
            #expect(came == expected)
        }
    }

    @Test("a peer that takes nothing is skipped past progress, and gets the newest of it and the end")
    func skipped() async throws {
        try await Pair.run { pair in
            let wide = String(repeating: "x", count: 300_000)
            var expected: [UInt8] = []
            var isTaking = true
            while isTaking {
                let (batch, bytes) = Self.batch([wide], maySkip: true)
                expected += bytes
                _ = try await pair.send(batch)
                isTaking = try await pair.onLoop { $0.isWritable }
            }
            let lost = Self.batch(["lost"], maySkip: true).0
            let (newest, bytes) = Self.batch(["newest"], maySkip: true)
            for batch in [lost, newest] {
                let sent = try await pair.send(batch)
                #expect(sent == 0)
            }
            expected += bytes
            let came = try await pair.read(expected.count)
            #expect(came == expected)
            // And from here on it keeps up again.
            let (last, end) = Self.batch(["end"])
            _ = try await pair.send(last)
            let rest = try await pair.read(end.count)
            #expect(rest == end)
        }
    }

    @Test("nothing goes out behind a close, nor to a descriptor that is another's by then")
    func closed() async throws {
        try await Pair.run { pair in
            let (batch, _) = Self.batch(["late"])
            // Once, so that its socket is one that takes bytes at once.
            let first = try await pair.send(batch)
            try await pair.onLoop { $0.close(.normal, "bye") }
            let sent = try await pair.send(batch)
            #expect(sent == 0)
            let frames = try await pair.read(first + 7)
            #expect(Array(frames.dropFirst(first)) == [0x88, 5, 0x03, 0xE8] + Array("bye".utf8))
            var byte: UInt8 = 0
            #expect(recv(pair.peer, &byte, 1, 0) == 0)
        }
        try await Pair.run { pair in
            let (batch, _) = Self.batch(["late"])
            let first = try await pair.send(batch)
            _ = try await pair.read(first)
            let numbers = try await pair.channel.eventLoop.submit { [row = pair.row] in
                let own = try pair.channel.pipeline.syncOperations
                    .withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
                var others: [CInt] = [-1, -1]
                try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &others) == 0)
                // As a failed read does: the channel is closed below its handlers.
                pair.channel._channelCore.close0(error: ChannelError.eof, mode: .all, promise: nil)
                let taken = try fcntl(others[0], F_DUPFD, #require(own))
                defer { for descriptor in others + [taken] { Glibc.close(descriptor) } }
                let sent = row.value.send(batch).bytes
                var byte: UInt8 = 0
                let came = recv(others[1], &byte, 1, CInt(MSG_DONTWAIT))
                return [taken == own ? 1 : 0, sent, came]
            }.get()
            #expect(numbers == [1, 0, -1])
        }
    }

    @Test("who leaves a row gets nothing more, and who is moved to its place goes on")
    func leaving() async throws {
        try await Pair.run { first in
            try await Pair.run(on: first.channel.eventLoop) { second in
                let (batch, bytes) = Self.batch(["x"])
                let counts = try await first.channel.eventLoop.submit {
                    let row = SeatRow()
                    row.add(first.connection.value)
                    row.add(second.connection.value)
                    let both = [row.send(batch).bytes, row.send(batch).bytes]
                    row.remove(first.connection.value)
                    row.remove(first.connection.value)
                    let one = [row.send(batch).bytes, row.send(batch).bytes]
                    row.remove(second.connection.value)
                    return both + one + [row.send(batch).bytes]
                }.get()
                let size = bytes.count
                #expect(counts == [2 * size, 2 * size, size, size, 0])
                let (left, stayed) = (try await first.read(2 * size), try await second.read(4 * size))
                #expect(left + left == stayed)
            }
        }
    }
}
