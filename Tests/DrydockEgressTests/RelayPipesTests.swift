// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage
import Testing

@testable import DrydockEgress

@Suite("What goes through a tunnel without a copy", .timeLimit(.minutes(1)))
struct RelayPipesTests {
    /// One way between two TCP connections, moved when it is told to.
    private final class OneWay {
        /// More than all sockets on the way take, and not the same twice.
        private static let pattern: [UInt8] = {
            let piece = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }
            var all: [UInt8] = []
            while all.count < 16 << 20 { all += piece }
            return all
        }()
        let sender: TestSocket
        let reader: TestSocket
        private let pipes: RelayPipes
        private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 4_096)
        private var from: RelayEnd
        private var to: RelayEnd
        private var way = RelayWay()
        let block: [UInt8]
        private var sent = 0

        init(_ pipes: RelayPipes, count: Int = 16 << 20) throws {
            let (sender, from) = try TestSocket.pair()
            let (reader, to) = try TestSocket.pair()
            (self.sender, self.reader, self.pipes) = (sender, reader, pipes)
            self.from = RelayEnd(socket: from)
            self.to = RelayEnd(socket: to)
            block = Array(Self.pattern.prefix(count))
        }

        deinit { buffer.deallocate() }

        var heldCount: Int { way.heldCount }
        var bytes: (in: Int64, out: Int64) { (way.count, way.handedOn) }

        /// Sends what is left of the block, as much as is taken, and moves it on.
        func advance() -> RelayWay.Progress {
            sent += sender.send(block[sent...])
            return move()
        }

        func move() -> RelayWay.Progress {
            from.isReadable = true
            to.isWritable = true
            return way.advance(from: &from, to: &to, through: buffer, pipes)
        }

        /// Sends until nobody takes more, since the reader does not.
        func fill() {
            for _ in 0..<10_000 {
                let before = (way.count, sent)
                if case .failed = advance() { return }
                if before == (way.count, sent) { return }
            }
        }

        /// Everything that comes out, with the end of what was sent.
        func rest() -> [UInt8] {
            var all: [UInt8] = []
            for _ in 0..<1_000_000 {
                if sent == block.count { sender.endOutput() }
                if case .over = advance() { break }
                all += reader.read()
            }
            while case let more = reader.read(), !more.isEmpty { all += more }
            return all
        }
    }

    @Test("what is much goes through a pipe, which is given back empty")
    func pipe() throws {
        let pipes = RelayPipes()
        let way = try OneWay(pipes)
        let all = way.rest()
        #expect(all == way.block && way.bytes.in == Int64(all.count) && way.bytes.out == Int64(all.count))
        #expect(pipes.count == 1 && pipes.idleCount == 1)
    }

    @Test("what is little is copied, whatever it comes to")
    func little() throws {
        let pipes = RelayPipes()
        let way = try OneWay(pipes, count: 0)
        for number in 0..<1_000 {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1_000)
            #expect(way.sender.send(bytes[...]) == 1_000)
            _ = way.move()
            #expect(way.reader.read() == bytes)
        }
        #expect(pipes.count == 0)
    }

    @Test("a reader that stops leaves bytes in the pipe, and they come before the end that came after them")
    func halfClose() throws {
        let pipes = RelayPipes()
        let way = try OneWay(pipes)
        way.fill()
        #expect(
            pipes.count == 1 && pipes.idleCount == 0 && way.bytes.in > way.bytes.out && way.heldCount == 0
        )
        #expect(way.rest() == way.block)
        #expect(pipes.count == 1 && pipes.idleCount == 1)
    }

    @Test("a way that goes with bytes in its pipe takes the pipe with it")
    func abandoned() throws {
        let pipes = RelayPipes()
        do {
            let way = try OneWay(pipes)
            way.fill()
            #expect(pipes.count == 1 && pipes.idleCount == 0)
        }
        #expect(pipes.count == 0)
    }

    @Test("who gets no pipe copies, and gets one when there is one again")
    func exhausted() throws {
        let pipes = RelayPipes(limit: 1)
        let (first, second) = (try OneWay(pipes), try OneWay(pipes))
        first.fill()
        second.fill()
        #expect(pipes.count == 1 && pipes.idleCount == 0 && second.heldCount > 0)
        #expect(first.rest() == first.block && pipes.idleCount == 1)
        #expect(second.rest() == second.block && pipes.count == 1)
        #expect(try OneWay(RelayPipes(limit: 0)).rest() == second.block)
    }

    @Test(
        "a sandbox has no more pipes than it leaves for the others, and what it gave back it can have again"
    )
    func shares() throws {
        let pipes = RelayPipes()
        let holders = (0..<4).map { _ in NetworkAllowance() }
        var loans: [[RelayPipe]] = []
        for holder in holders {
            var taken: [RelayPipe] = []
            while let pipe = pipes.take(for: ObjectIdentifier(holder)) { taken.append(pipe) }
            loans.append(taken)
        }
        #expect(loans.map(\.count) == [8, 4, 2, 1] && pipes.count == 15)
        for pipe in loans[0] { pipes.giveBack(pipe) }
        loans = Array(loans.dropFirst())
        #expect(pipes.count == 11 && pipes.idleCount == 4)
        var again: [RelayPipe] = []
        while let pipe = pipes.take(for: ObjectIdentifier(holders[0])) { again.append(pipe) }
        #expect(again.count == 5)
    }

    @Test("a reset with bytes in the pipe ends the tunnel, not the process", arguments: [false, true])
    func reset(byHost: Bool) async throws {
        // Not ignored, as in a program that has not thought of it: the relay has.
        let before = signal(SIGPIPE, SIG_DFL)
        defer { signal(SIGPIPE, before) }
        let relay = try Relay()
        for _ in 0..<20 {
            let (client, clientEnd) = try TestSocket.pair()
            let (host, hostEnd) = try TestSocket.pair()
            let over = Promise<RelayedBytes>()
            relay.open(
                Relay.Opening(client: clientEnd, host: hostEnd, first: []) {
                    over.keep($0)
                },
                relay.ticket()
            )
            let bytes = [UInt8](repeating: 7, count: 16 << 20)
            var sent = 0
            // Until it is stuck.
            for _ in 0..<20 {
                sent += host.send(bytes[sent...])
                usleep(5_000)
            }
            if byHost { host.reset() } else { client.reset() }
            let moved = await over.value
            #expect(moved.received > 1 << 20)
        }
    }
}
