// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// A connection of the server under TLS: HTTP/1.1 and `/ws` as without, or HTTP/2, as its client likes.
struct SecureChannel: ServerChildChannel {
    fileprivate enum Negotiated: Sendable {
        case http1(DrydockChannel.Value)
        case http2(HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
        fileprivate let negotiated: EventLoopFuture<Negotiated>
        let channel: any Channel
    }

    private typealias Negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated>

    private let http1: DrydockChannel
    private let http2: HTTP2Channel
    private let certificate: ServerCertificate
    private let patience: RequestPace.Patience

    init(
        responder: @escaping HTTPChannelHandler.Responder,
        http1: DrydockChannel,
        certificate: ServerCertificate,
        patience: RequestPace.Patience,
        ledger: ConnectionLedger
    ) {
        self.http1 = http1
        self.certificate = certificate
        self.patience = patience
        // NIO's own bounds are ours: 100 streams at one time, 16 KiB of headers, 200 resets in 30 seconds, as many pings.
        http2 = HTTP2Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: .nanoseconds(patience.nextHead.nanoseconds),
                gracefulCloseTimeout: .nanoseconds(patience.shutdown.nanoseconds),
                streamConfiguration: .init(additionalChannelHandlers: [StreamPace(patience, ledger)])
            )
        )
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try http1.prepare(channel)
            let negotiation = Negotiation { [http1, http2] result in
                if case .negotiated("h2") = result {
                    return http2.setup(channel: channel, logger: logger).map { .http2($0) }
                }
                return http1.speak(on: channel, logger: logger).map { .http1($0) }
            }
            let tls = NIOSSLServerHandler(context: certificate.context)
            try channel.pipeline.syncOperations.addHandlers([
                PlainGreeting(), tls, SecurePace(patience), negotiation,
            ])
            return Value(negotiated: negotiation.protocolNegotiationResult, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let connection): await http2.handle(value: connection, logger: logger)
            }
        } catch {
            // A handshake that failed is its client's business.
            logger.debug("no connection came of a handshake: \(error)")
            value.channel.close(promise: nil)
        }
    }
}

/// Tells who speaks HTTP to a port that speaks TLS, in words that their client shows.
final class PlainGreeting: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let answer = """
        HTTP/1.1 400 Bad Request\r
        Content-Type: text/plain; charset=utf-8\r
        Connection: close\r
        Content-Length: 51\r
        \r
        this port speaks TLS: begin the address with https

        """

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        // What begins a record of a handshake (RFC 8446, section 5.1).
        guard unwrapInboundIn(data).getInteger(at: unwrapInboundIn(data).readerIndex, as: UInt8.self) != 0x16
        else {
            context.fireChannelRead(data)
            return context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
        isRefused = true
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.answer)), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }
}

@available(*, unavailable)
extension PlainGreeting: Sendable {}

/// Ends connections whose handshake does not come to its end, those of HTTP/2 that ask for nothing, and those that outstay
/// the server's own.
final class SecurePace: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let patience: RequestPace.Patience
    private var handshake: Scheduled<Void>?
    private var end: Scheduled<Void>?
    /// Of HTTP/2: how many streams are open, and what ends the connection while none is.
    private var streams = 0
    private var idle: Scheduled<Void>?
    private var close: (() -> Void)?

    init(_ patience: RequestPace.Patience) { self.patience = patience }

    /// A request came over HTTP/2.
    func streamBegan() {
        streams += 1
        idle?.cancel()
    }

    func streamEnded(on loop: any EventLoop) {
        streams -= 1
        if streams == 0 { awaitStream(in: patience.nextHead, on: loop) }
    }

    /// The library only says goodbye to a silent client, and waits for its answer: who gives none is closed.
    private func awaitStream(in time: TimeAmount, on loop: any EventLoop) {
        idle?.cancel()
        idle = loop.assumeIsolated().scheduleTask(in: time + patience.shutdown) {
            if self.streams == 0 { self.close?() }
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        close = { context.close(promise: nil) }
        handshake = context.eventLoop.assumeIsolated().scheduleTask(in: patience.firstHead) {
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let chosen)? = event as? TLSUserEvent {
            handshake?.cancel()
            if chosen == "h2" { awaitStream(in: patience.firstHead, on: context.eventLoop) }
        }
        if event is ChannelShouldQuiesceEvent, end == nil {
            // A client of HTTP/2 that never answers the goodbye would be waited for.
            end = context.eventLoop.assumeIsolated().scheduleTask(in: patience.shutdown) {
                context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    private func stop() {
        handshake?.cancel()
        end?.cancel()
        idle?.cancel()
        close = nil
    }
}

@available(*, unavailable)
extension SecurePace: Sendable {}
