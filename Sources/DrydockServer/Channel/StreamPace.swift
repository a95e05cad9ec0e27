// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// `RequestPace` for a stream of HTTP/2: ends those whose body does not come and whose answer is not taken.
///
/// It also takes from answers what only a connection of HTTP/1.1 may say (RFC 9113, section 8.2.2).
final class StreamPace: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private static let unspeakable = ["connection", "upgrade", "keep-alive", "transfer-encoding"]
        .compactMap { HTTPField.Name($0) }

    private let patience: RequestPace.Patience
    private var received = 0
    /// Bytes of the answer that were given to the stream, and of these, those that went out.
    private var given = 0
    private var taken = 0
    private var body: Scheduled<Void>?
    private var takes: Scheduled<Void>?

    init(_ patience: RequestPace.Patience) { self.patience = patience }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: watchBody(context, 0)
        case .body(let piece): received += piece.readableBytes
        case .end: body?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            for name in Self.unspeakable { head.headerFields[name] = nil }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let piece):
            let count = piece.readableBytes
            given += count
            let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenSuccess { self.taken += count }
            context.write(data, promise: sent)
            if takes == nil { watchTaking(context, taken, given > taken) }
        case .end: context.write(data, promise: promise)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    /// Looks at every turn of the timer whether the body went on from `before`.
    private func watchBody(_ context: ChannelHandlerContext, _ before: Int) {
        body = context.eventLoop.assumeIsolated().scheduleTask(in: patience.body) {
            guard self.received - before >= self.patience.leastBody else {
                return context.close(promise: nil)
            }
            self.watchBody(context, self.received)
        }
    }

    /// Looks after a while how much the client has taken, and goes on for as long as something waits for it.
    private func watchTaking(_ context: ChannelHandlerContext, _ before: Int, _ waited: Bool) {
        takes = context.eventLoop.assumeIsolated().scheduleTask(in: patience.taking) {
            self.takes = nil
            guard self.given > self.taken else { return }
            let isSlow = self.taken - before < self.patience.leastTaken
            if waited, isSlow { return context.close(promise: nil) }
            self.watchTaking(context, self.taken, true)
        }
    }

    private func stop() {
        body?.cancel()
        takes?.cancel()
    }
}

@available(*, unavailable)
extension StreamPace: Sendable {}
