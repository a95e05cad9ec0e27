// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore

/// What a connection tells the server's rooms; called on the connection's event loop.
protocol WebSocketDelegate: Sendable {
    func opened(_ connection: WebSocketHandler)
    func received(_ input: WebSocketInput, from connection: WebSocketHandler)
    /// The socket takes bytes again, or the connection is gone: whoever waits may go on.
    func becameWritable(_ connection: WebSocketHandler)
    func closed(_ connection: WebSocketHandler)
    /// Bytes were handed to a socket.
    func wrote(bytes: Int)
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

    /// How connections are sent away when the server ends.
    struct Farewell: Sendable {
        /// Each one at a moment of its own within this time, so that they do not all go, and come back, at once.
        let spread: ClosedRange<Int64>
        /// Milliseconds after which one is asked to come back.
        let absence: ClosedRange<Int64> = 500...4_000

        /// Takes a quarter of the time that there is, and a second at most.
        init(within patience: Duration = .seconds(4)) {
            spread = 0...max(0, min(1_000, patience.milliseconds / 4))
        }
    }

    /// What a server asks of its connections.
    struct Rules: Sendable {
        var longestMessage: Int
        var heartbeat = Heartbeat()
        var farewell = Farewell()
        /// What becomes of binary messages.
        var binary = WebSocketDecoder.Binary.counted
    }

    /// Whether the socket took all that was sent, or nearly: as the channel last said.
    private var isTaking = true { didSet { tellPlace() } }
    /// Whether bytes may wait in the channel: those that come later must not overtake them.
    private var isBuffering = true { didSet { tellPlace() } }
    /// nil where bytes must go through the channel's pipeline, or may not be sent any more.
    private var socket: BareSocket? { didSet { tellPlace() } }
    /// Where it sits in its session; the row's own.
    var place: SeatRow.Place? { didSet { tellPlace() } }
    private var state = State.idle
    /// Whether it reads the deflated frames that its room's connections share.
    let readsDeflated: Bool
    /// The newest skippable frame that the socket did not take; sent when it does.
    private var skipped: ByteBuffer?
    /// Bytes of essential frames that were sent while the socket took nothing.
    private var forced = 0
    /// More of them end the connection: a peer that speaks and never reads would collect them for ever.
    private static let mostForced = 1 << 20

    private var delegate: any WebSocketDelegate
    private let heartbeat: Heartbeat
    private let farewell: Farewell
    private let encoder: FrameEncoder
    /// What was agreed on about compression; nil = nothing.
    private let deflate: DeflateAgreement?
    private var decoder: WebSocketDecoder
    private var timer: Scheduled<Void>?
    private var heardSincePing = true
    private var allowance: MessageAllowance
    /// Whether what the client says waits.
    private var isHeld = false
    /// Frames the connection was skipped past.
    private(set) var skippedCount = 0
    /// What it is registered for; the delegate's own.
    var seat: Seat?
    /// Whether a command of this connection is being carried out; the delegate's own.
    var isCommanding = false

    init(
        delegate: any WebSocketDelegate,
        rules: Rules,
        allowance: MessageAllowance,
        encoder: FrameEncoder,
        deflate: DeflateAgreement?
    ) {
        self.allowance = allowance
        self.delegate = delegate
        self.heartbeat = rules.heartbeat
        self.farewell = rules.farewell
        self.encoder = encoder
        self.deflate = deflate
        self.readsDeflated = deflate?.window == FrameEncoder.window
        self.decoder = WebSocketDecoder(
            longestMessage: rules.longestMessage,
            binary: rules.binary,
            readsDeflated: deflate != nil
        )
    }

    /// Whether the socket takes more.
    var isWritable: Bool {
        guard case .open = state else { return false }
        return isTaking
    }

    /// The loop it lives on; nil before and after its life.
    var eventLoop: (any EventLoop)? { context?.eventLoop }

    /// Its place in the channel; nil before and after its life.
    private var context: ChannelHandlerContext? {
        switch state {
        case .open(let context), .closing(let context): context
        case .idle, .closed: nil
        }
    }

    // MARK: Sending

    /// Sends what every connection of its session gets, in the form that this one reads; one that does not keep up is skipped
    /// past progress.
    ///
    /// The socket that its place had was handed the first `sent` bytes, and took no more. Returns how many it was handed then,
    /// these included: the delegate is not told, since those of all connections are counted at once.
    func send(_ frames: FrameBatch.Form, after sent: Int = 0, skippable: Int) -> Int {
        guard case .open = state else { return 0 }
        guard isTaking else { return skip(frames, skippable) }
        skipped = nil
        var rest = frames.all
        rest.moveReaderIndex(forwardBy: sent)
        hand(rest)
        return frames.all.readableBytes
    }

    /// Says at its place which socket takes bytes at once: one that keeps up, and behind which nothing waits.
    private func tellPlace() { place?.open(isTaking && !isBuffering ? socket : nil) }

    private func skip(_ frames: FrameBatch.Form, _ skippable: Int) -> Int {
        skippedCount += skippable
        var written = 0
        if let essential = frames.essential {
            // The newest skipped progress comes before what ends its build, or not at all.
            skipped = nil
            forced += essential.readableBytes
            guard forced <= Self.mostForced else {
                context?.close(promise: nil)
                return 0
            }
            hand(essential)
            written = essential.readableBytes
        }
        if let last = frames.lastSkippable { skipped = last }
        return written
    }

    /// Sends a message to this connection alone.
    func send(_ opcode: WebSocketOpcode, _ message: [UInt8]) {
        guard case .open = state else { return }
        write(encoder.frame(opcode, message, window: deflate?.window))
    }

    /// Sends a message that others are sent, too.
    func send(_ frame: SharedFrame) { send(readsDeflated ? frame.deflated ?? frame.plain : frame.plain) }

    /// How many bytes wait for a peer that does not keep up.
    enum Holding {
        /// As many as every connection may have.
        case much
        /// For who is told again what it has not seen, from where that stands.
        case little
    }

    func hold(_ holding: Holding) {
        guard case .open(let context) = state else { return }
        let (low, high) = holding == .much ? (256 << 10, 1 << 20) : (32 << 10, 128 << 10)
        do {
            try context.channel.syncOptions?.setOption(
                .writeBufferWaterMark,
                value: .init(low: low, high: high)
            )
            // The channel only tells of changes that bytes make.
            isTaking = context.channel.isWritable
        } catch {
            // A channel that can not: what it holds is bounded all the same, only not as tightly.
        }
    }

    /// Sends frames for this connection alone.
    func send(_ frames: ByteBuffer) {
        guard case .open = state else { return }
        write(frames)
    }

    /// Says goodbye; nothing is sent afterwards.
    func close(_ code: WebSocketCloseCode?, _ reason: String) {
        guard case .open(let context) = state else { return }
        state = .closing(context)
        skipped = nil
        var frame = context.channel.allocator.buffer(capacity: 64)
        WebSocketEncoder.appendClose(code, reason, to: &frame)
        write(frame)
        socket = nil
        // Only our half: closing both at once could reset the connection and lose the frame.
        context.close(mode: .output, promise: nil)
        timer?.cancel()
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(2)) { loopBound.value.close(promise: nil) }
        delegate.closed(self)
    }

    private func write(_ frames: ByteBuffer) {
        delegate.wrote(bytes: frames.readableBytes)
        hand(frames)
    }

    /// Hands over bytes, behind those that wait: to the kernel as much as it takes, to the channel the rest.
    private func hand(_ bytes: ByteBuffer) {
        var rest = bytes
        if let socket {
            if isBuffering, let context { isBuffering = RequestPace.waiting(context) > 0 }
            if !isBuffering {
                rest.moveReaderIndex(forwardBy: socket.send(rest))
                // Nothing else of the connection was looked at.
                if rest.readableBytes == 0 { return }
                isBuffering = true
            }
        }
        context?.writeAndFlush(wrapOutboundOut(rest), promise: nil)
    }

    // MARK: Receiving

    func handlerAdded(context: ChannelHandlerContext) {
        state = .open(context)
        isTaking = context.channel.isWritable
        socket = BareSocket(context)
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
        isTaking = context.channel.isWritable
        guard case .open = state, isTaking else { return }
        forced = 0
        if let frames = skipped {
            skipped = nil
            write(frames)
        }
        delegate.becameWritable(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: leave(context)
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: break
        }
    }

    /// Sends the client away for a while, soon: what it has not taken yet still goes out before.
    private func leave(_ context: ChannelHandlerContext) {
        guard case .open = state else { return }
        let absence = Int64.random(in: farewell.absence)
        let delay = TimeAmount.milliseconds(Int64.random(in: farewell.spread))
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.close(.restart, "the server restarts: come back later; retry_ms=\(absence)")
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
        socket = nil
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
        write(frame)
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
