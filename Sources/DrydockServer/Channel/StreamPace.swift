// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
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
    /// A stream may hold a file open as a connection may: it counts as one.
    private let ledger: ConnectionLedger
    private var address: IPAddress?
    private var isEntered = false
    private var received = 0
    /// Bytes of the answer that were given to the stream, and of these, those that went out.
    private var given = 0
    private var taken = 0
    private var body: Scheduled<Void>?
    private var takes: Scheduled<Void>?

    init(_ patience: RequestPace.Patience, _ ledger: ConnectionLedger) {
        self.patience = patience
        self.ledger = ledger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let connection = context.channel.parent
        address = TrustedProxies.address(connection?.remoteAddress)
        guard ledger.enter(address) else { return context.close(promise: nil) }
        isEntered = true
        pace(connection)?.streamBegan()
    }

    private func pace(_ connection: (any Channel)?) -> SecurePace? {
        // Both live on the connection's loop; none where the connection is going.
        try? connection?.pipeline.syncOperations.handler(type: SecurePace.self)
    }

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

    func handlerRemoved(context: ChannelHandlerContext) {
        stop()
        guard isEntered else { return }
        isEntered = false
        ledger.leave(address)
        pace(context.channel.parent)?.streamEnded(on: context.eventLoop)
    }

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
