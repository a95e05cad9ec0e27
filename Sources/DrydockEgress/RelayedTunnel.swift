// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Bytes that went through a tunnel each way.
struct RelayedBytes: Sendable {
    let sent: Int64
    let received: Int64
    /// Whether it ended because its sandbox may move no more.
    var isCutOff = false
}

/// An open tunnel, as the relay's thread has it.
final class RelayedTunnel {
    private var client: RelayEnd
    private var host: RelayEnd
    private var sent: RelayWay
    private var received: RelayWay
    private var hasFailed = false
    private let hasRoom: Bool
    /// Whether nothing more goes through.
    private(set) var isOver = false
    private var left = Int.max
    /// When a byte was last moved.
    private(set) var lastMoved: ContinuousClock.Instant
    let whenOver: @Sendable (RelayedBytes) -> Void

    init(_ opening: Relay.Opening, _ now: ContinuousClock.Instant) {
        client = RelayEnd(socket: opening.client)
        host = RelayEnd(socket: opening.host)
        sent = RelayWay(first: opening.first, handedOn: opening.sent, opening.allowance)
        received = RelayWay(opening.allowance)
        lastMoved = now
        hasRoom = opening.hasRoom
        whenOver = opening.whenOver
    }

    var bytes: RelayedBytes {
        RelayedBytes(
            sent: sent.count,
            received: received.count,
            isCutOff: sent.isCutOff || received.isCutOff
        )
    }
    /// Memory that waits for one of the ends.
    var heldCount: Int { sent.heldCount + received.heldCount }

    /// Bytes in and out: a slow reader is not silent.
    private var activity: Int64 { sent.count + sent.handedOn + received.count + received.handedOn }

    /// Writes down what has become possible at one of the ends.
    func note(isClient: Bool, reads: Bool, writes: Bool, fails: Bool) {
        func note(_ end: inout RelayEnd) {
            end.isReadable = end.isReadable || reads
            end.isWritable = end.isWritable || writes
        }
        if isClient { note(&client) } else { note(&host) }
        hasFailed = hasFailed || fails
    }

    /// Has nothing more go through; false while the client has yet to take so much that its socket can not be left to the kernel.
    func end(_ now: ContinuousClock.Instant) -> Bool {
        isOver = true
        guard hasRoom else { return true }
        let queued = client.socket.memoryToSend ?? 0
        if queued < left { lastMoved = now }
        left = queued
        return queued <= SocketRoom.usual
    }

    /// Gives up what the client has not taken, where that is more than the kernel is to keep.
    func giveUp() {
        guard hasRoom, (client.socket.memoryToSend ?? 0) > SocketRoom.usual else { return }
        client.socket.resetWhenClosed()
    }

    /// Moves what can be moved, both ways.
    func advance(
        through buffer: UnsafeMutableRawBufferPointer,
        _ pipes: RelayPipes,
        _ now: ContinuousClock.Instant
    ) -> RelayWay.Progress {
        let before = activity
        let up = sent.advance(from: &client, to: &host, through: buffer, pipes)
        let down = received.advance(from: &host, to: &client, through: buffer, pipes)
        if activity != before { lastMoved = now }
        switch (up, down) {
        case (.failed, _), (_, .failed): return .failed
        case (.over, .over): return .over
        case (.hasMore, _), (_, .hasMore): return .hasMore
        // What had come before the connection broke has been handed on above, as far as it was taken.
        default: return hasFailed ? .failed : .waits
        }
    }
}
