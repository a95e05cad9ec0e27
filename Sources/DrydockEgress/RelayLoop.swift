// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc

/// The relay's thread: who is ready has its turn, and who is silent too long its end.
final class RelayLoop {
    /// What is read at a time, and how much of it while so much waits for those who do not take it.
    private static let block = 128 << 10
    private static let smallBlock = 4 << 10
    private static let mostHeld = 8 << 20

    private let orders: RelayOrders
    private let silence: Duration
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: RelayLoop.block, alignment: 4_096)
    private let pipes: RelayPipes
    private var tunnels: [UInt64: RelayedTunnel] = [:]
    /// Those with more to move than one turn.
    private var unfinished: Set<UInt64> = []
    private var heldCount = 0
    private var now = ContinuousClock.now
    private var nextLook = ContinuousClock.now
    private var isStopped = false

    init(_ orders: RelayOrders, silence: Duration, pipes: Int) {
        self.orders = orders
        self.pipes = RelayPipes(limit: pipes)
        self.silence = silence
    }

    deinit { buffer.deallocate() }

    func run() {
        Self.blockBrokenPipes()
        while !isStopped {
            // Never fails: the set is ours, and open.
            guard let ready = try? orders.ready.wait(milliseconds: patience) else { break }
            now = ContinuousClock.now
            for order in orders.take() { obey(order) }
            var due = unfinished
            unfinished = []
            for ready in ready {
                guard let tunnel = tunnels[ready.key >> 1] else { continue }
                tunnel.note(
                    isClient: ready.key & 1 == 0,
                    reads: ready.reads,
                    writes: ready.writes,
                    fails: ready.fails
                )
                due.insert(ready.key >> 1)
            }
            for number in due { advance(number) }
            if now >= nextLook { lookForSilent() }
        }
        for number in Array(tunnels.keys) { finish(number) }
    }

    /// A socket that is gone is an answer of the call; the signal of it would end the process.
    private static func blockBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private var patience: Int32? {
        if !unfinished.isEmpty { return 0 }
        return tunnels.isEmpty ? nil : Int32(max((nextLook - now) / .milliseconds(1), 1))
    }

    private func obey(_ order: RelayOrders.Order) {
        switch order {
        case .open(let number, let opening): open(number, opening)
        case .end(let number): finish(number)
        case .stop: isStopped = true
        }
    }

    private func open(_ number: UInt64, _ opening: Relay.Opening) {
        let tunnel = RelayedTunnel(opening, now)
        tunnels[number] = tunnel
        heldCount += tunnel.heldCount
        do {
            // Both are told at once for what they are ready for now.
            try orders.ready.add(opening.client.descriptor, key: number << 1)
            try orders.ready.add(opening.host.descriptor, key: number << 1 | 1)
        } catch {
            finish(number)
        }
    }

    private func advance(_ number: UInt64) {
        switch move(number) {
        case .waits: break
        case .hasMore: unfinished.insert(number)
        case .over, .failed:
            // Looked at again now and then.
            if tunnels[number]?.end(now) != false { finish(number) }
        }
    }

    private func move(_ number: UInt64) -> RelayWay.Progress {
        guard let tunnel = tunnels[number] else { return .waits }
        guard !tunnel.isOver else { return .over }
        let size = heldCount > Self.mostHeld ? Self.smallBlock : Self.block
        let before = tunnel.heldCount
        let block = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
        let progress = tunnel.advance(through: block, pipes, now)
        heldCount += tunnel.heldCount - before
        return progress
    }

    private func finish(_ number: UInt64) {
        guard let (bytes, whenOver) = close(number) else { return }
        whenOver(bytes)
    }

    /// Forgets a tunnel; its sockets are closed when this returns.
    private func close(_ number: UInt64) -> (RelayedBytes, @Sendable (RelayedBytes) -> Void)? {
        unfinished.remove(number)
        guard let tunnel = tunnels.removeValue(forKey: number) else { return nil }
        heldCount -= tunnel.heldCount
        tunnel.giveUp()
        return (tunnel.bytes, tunnel.whenOver)
    }

    private func lookForSilent() {
        nextLook = now + max(silence / 20, .milliseconds(10))
        var due: [UInt64] = []
        for (number, tunnel) in tunnels {
            let isDone = tunnel.isOver && tunnel.end(now)
            if isDone || now - tunnel.lastMoved >= silence { due.append(number) }
        }
        // Not while they are walked through, which would hold their sockets open.
        for number in due { finish(number) }
    }
}
