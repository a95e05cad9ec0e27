// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import NIOHTTP1

/// Ends connections that make the server wait: for a request's head, for its body, for room to send its answer, or for
/// the end of the server.
///
/// A timer of idle time does not see those that send a byte now and then.
final class RequestPace: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Longest times.
    struct Patience: Sendable {
        /// From the beginning of a connection to its first request's head.
        var firstHead = TimeAmount.seconds(20)
        /// From an answer to the next request's head.
        var nextHead = TimeAmount.seconds(75)
        /// In which a body must bring `leastBody` more bytes.
        var body = TimeAmount.seconds(30)
        var leastBody = 4 << 10
        /// In which a client must take `leastTaken` bytes of what waits for it.
        ///
        /// Streams with nothing to send wait for nobody.
        var taking = TimeAmount.seconds(30)
        var leastTaken = 4 << 10
        /// From the wish to shut down to the end of what is still going on.
        var shutdown = TimeAmount.seconds(10)
    }

    private enum State {
        case waiting
        case reading(bytes: Int)
        case answering
    }

    private let patience: Patience
    private var state = State.waiting
    /// Requests that have not been answered in full.
    private var unanswered = 0
    private var timer: Scheduled<Void>?
    private var takes: Scheduled<Void>?
    /// Bytes of answers that were given to the connection, without what frames them.
    private var given = 0
    private var end: Scheduled<Void>?

    init(_ patience: Patience) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) { close(context, in: patience.firstHead) }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            state = .reading(bytes: 0)
            watchBody(context)
        case .body(let piece):
            if case .reading(let bytes) = state { state = .reading(bytes: bytes + piece.readableBytes) }
        case .end:
            state = .answering
            timer?.cancel()
            // It may have been answered before it was whole.
            if unanswered == 0 { awaitNext(context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head: break
        case .body(let piece): given += piece.readableBytes
        case .end:
            unanswered -= 1
            if case .answering = state, unanswered == 0 { awaitNext(context) }
        }
        context.write(data, promise: promise)
        if takes == nil { watchTaking(context, given, Self.waiting(context)) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, end == nil {
            end = context.eventLoop.assumeIsolated().scheduleTask(in: patience.shutdown) {
                context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Looks at every turn of the timer whether the body went on; until it is whole, or the connection ends.
    private func watchBody(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience.body) {
            guard case .reading(let bytes) = self.state else { return }
            guard bytes >= self.patience.leastBody else { return context.close(promise: nil) }
            self.state = .reading(bytes: 0)
            self.watchBody(context)
        }
    }

    /// Looks after a while how much of `waited`, which waited when `given` bytes had been given, the client has taken, and
    /// goes on for as long as something waits for it.
    private func watchTaking(_ context: ChannelHandlerContext, _ given: Int, _ waited: Int) {
        takes = context.eventLoop.assumeIsolated().scheduleTask(in: patience.taking) {
            self.takes = nil
            let waits = Self.waiting(context)
            guard waits > 0 else { return }
            let taken = waited + (self.given - given) - waits
            if waited > 0, taken < self.patience.leastTaken { return context.close(promise: nil) }
            self.watchTaking(context, self.given, waits)
        }
    }

    /// Bytes that wait for the kernel to take them, which it does as the client does; none where a channel can not tell.
    static func waiting(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Gives the client its time for the next head, which begins anew while it still takes what was answered.
    private func awaitNext(_ context: ChannelHandlerContext) {
        state = .waiting
        close(context, in: patience.nextHead)
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            guard Self.waiting(context) == 0 else { return self.close(context, in: time) }
            context.close(promise: nil)
        }
    }

    private func stop() {
        timer?.cancel()
        takes?.cancel()
        end?.cancel()
    }
}

@available(*, unavailable)
extension RequestPace: Sendable {}
