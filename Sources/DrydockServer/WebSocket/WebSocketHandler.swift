// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// What a connection tells the server's rooms; called on the connection's event loop.
protocol WebSocketDelegate: Sendable {
    func opened(_ connection: WebSocketHandler)
    func received(_ input: WebSocketInput, from connection: WebSocketHandler)
    /// The socket takes bytes again, or the connection is gone: whoever waits may go on.
    func becameWritable(_ connection: WebSocketHandler)
    func closed(_ connection: WebSocketHandler)
}

/// One WebSocket connection: codec, heartbeat, closing, and the rule for sockets that do not keep up.
///
/// Lives on its event loop and must only be touched there.
final class WebSocketHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum State {
        case idle
        case open(ChannelHandlerContext)
        /// The close frame was sent; waits for the peer to close the socket.
        case closing(ChannelHandlerContext)
        case closed
    }

    /// Times of the heartbeat.
    struct Heartbeat: Sendable {
        var interval = TimeAmount.seconds(25)
        var patience = TimeAmount.seconds(10)
    }

    private var delegate: any WebSocketDelegate
    private let heartbeat: Heartbeat
    private var decoder: WebSocketDecoder
    private var state = State.idle
    private var timer: Scheduled<Void>?
    private var heardSincePing = true
    private var allowance: MessageAllowance
    /// Whether what the client says waits.
    private var isHeld = false
    /// Bytes of essential frames that were sent while the socket took nothing.
    private var forced = 0
    /// More of them end the connection: a peer that speaks and never reads would collect them for ever.
    private static let mostForced = 1 << 20
    /// The newest skippable frame that the socket did not take; sent when it does.
    private var skipped: ByteBuffer?
    /// Frames the connection was skipped past.
    private(set) var skippedCount = 0
    /// The room it is registered in; the delegate's own.
    var seat: SessionHub.Feed?
    /// Whether a command of this connection is being carried out; the delegate's own.
    var isCommanding = false

    init(
        delegate: any WebSocketDelegate,
        longestMessage: Int,
        heartbeat: Heartbeat,
        allowance: MessageAllowance
    ) {
        self.allowance = allowance
        self.delegate = delegate
        self.heartbeat = heartbeat
        self.decoder = WebSocketDecoder(longestMessage: longestMessage)
    }

    /// Whether the socket takes more.
    var isWritable: Bool {
        guard case .open(let context) = state else { return false }
        return context.channel.isWritable
    }

    /// The loop it lives on; nil before and after its life.
    var eventLoop: (any EventLoop)? {
        switch state {
        case .open(let context), .closing(let context): context.eventLoop
        case .idle, .closed: nil
        }
    }

    // MARK: Sending

    /// Sends what every connection of its session gets; one that does not keep up is skipped past progress.
    func send(_ batch: FrameBatch) {
        guard case .open(let context) = state else { return }
        if context.channel.isWritable {
            skipped = nil
            return write(batch.all, context)
        }
        skippedCount += batch.skippableCount
        if let essential = batch.essential {
            // The newest skipped progress comes before what ends its build, or not at all.
            skipped = nil
            forced += essential.readableBytes
            guard forced <= Self.mostForced else { return context.close(promise: nil) }
            write(essential, context)
        }
        if let last = batch.lastSkippable { skipped = last }
    }

    /// Sends frames for this connection alone.
    func send(_ frames: ByteBuffer) {
        guard case .open(let context) = state else { return }
        write(frames, context)
    }

    /// Says goodbye; nothing is sent afterwards.
    func close(_ code: WebSocketCloseCode?, _ reason: String) {
        guard case .open(let context) = state else { return }
        state = .closing(context)
        skipped = nil
        var frame = context.channel.allocator.buffer(capacity: 64)
        WebSocketEncoder.appendClose(code, reason, to: &frame)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        // Only our half: closing both at once could reset the connection and lose the frame.
        context.close(mode: .output, promise: nil)
        timer?.cancel()
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(2)) { loopBound.value.close(promise: nil) }
        delegate.closed(self)
    }

    private func write(_ frames: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(frames), promise: nil)
    }

    // MARK: Receiving

    func handlerAdded(context: ChannelHandlerContext) {
        state = .open(context)
        delegate.opened(self)
        schedulePing(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func channelInactive(context: ChannelHandlerContext) { finish() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        heardSincePing = true
        guard case .open = state else { return }
        decoder.feed(&bytes)
        decode()
    }

    private func decode() {
        do throws(WebSocketFailure) {
            while !isHeld, case .open = state, let input = try decoder.next() { handle(input) }
        } catch {
            close(error.code, error.reason)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // The HTTP half behind this handler no longer asks for bytes.
        if !isHeld { context.read() }
    }

    // MARK: Changing hands

    /// Leaves what the client says in its socket, until `goOn`.
    func hold() { isHeld = true }

    func goOn() {
        isHeld = false
        decode()
        if case .open(let context) = state { context.read() }
    }

    /// Does `work` when the connection is gone; at once where it is.
    func whenClosed(_ work: @escaping @Sendable () -> Void) {
        guard case .open(let context) = state else { return work() }
        context.channel.closeFuture.whenComplete { _ in work() }
    }

    /// Has another delegate hear the connection from now on, to whom messages of another length may be sent.
    func pass(to delegate: any WebSocketDelegate, longestMessage: Int) {
        guard case .open = state else { return }
        self.delegate = delegate
        decoder.longestMessage = longestMessage
        delegate.opened(self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard case .open = state, context.channel.isWritable else { return }
        forced = 0
        if let frames = skipped {
            skipped = nil
            write(frames, context)
        }
        delegate.becameWritable(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: close(.restart, "the server is restarting")
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// The HTTP half closes "its" channel when it learns that it was taken over; the connection lives on.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        promise?.succeed()
    }

    private func handle(_ input: WebSocketInput) {
        guard allowance.take(at: .now()) else { return close(.policy, "too many messages: slow down") }
        switch input {
        case .ping(let payload):
            var frame = ByteBuffer()
            WebSocketEncoder.append(.pong, payload, to: &frame)
            // A peer that pings and does not read would otherwise fill the buffer with pongs.
            if isWritable { send(frame) }
        case .pong, .emptyFragment: break
        case .close(let code): close(code, "")
        case .text, .binary: delegate.received(input, from: self)
        }
    }

    private func finish() {
        timer?.cancel()
        timer = nil
        skipped = nil
        // Told while the loop is still known; a closing one was told before.
        if case .open = state { delegate.closed(self) }
        state = .closed
    }

    // MARK: Heartbeat

    private func schedulePing(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: heartbeat.interval) { self.ping() }
    }

    private func ping() {
        guard case .open(let context) = state else { return }
        heardSincePing = false
        var frame = ByteBuffer()
        WebSocketEncoder.append(.ping, [], to: &frame)
        write(frame, context)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: heartbeat.patience) { self.judge() }
    }

    private func judge() {
        guard case .open(let context) = state else { return }
        guard heardSincePing else { return context.close(promise: nil) }
        schedulePing(context)
    }
}

@available(*, unavailable)
extension WebSocketHandler: Sendable {}

/// Frames of one batch, encoded once for every connection of a session.
struct FrameBatch: Sendable {
    /// All of them.
    var all = ByteBuffer()
    /// Those that no connection may miss; nil when there are none.
    var essential: ByteBuffer?
    /// The newest that may be skipped, unless an essential one follows it.
    var lastSkippable: ByteBuffer?
    var count = 0
    var skippableCount = 0
}
