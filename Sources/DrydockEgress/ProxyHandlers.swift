// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import NIOHTTP1

/// What stands before `ProxyConnection` in the pipeline of a client, as long as it speaks HTTP to the proxy.
final class ProxyHandlers {
    private let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
    private let encoder = HTTPResponseEncoder()
    /// Lets one request through at a time; a client may have sent the next ones already.
    private let order = HTTPServerPipelineHandler()
    let heads = HeadLimit()

    /// `meant` is the host of a client that knows of no proxy, or has asked for a tunnel to it; `isSecure` where it speaks TLS.
    static func add(
        to channel: any Channel,
        _ egress: Egress,
        meant: ProxyTarget?,
        isSecure: Bool = false
    ) throws {
        let handlers = ProxyHandlers()
        let connection = ProxyConnection(egress, handlers, meant: meant, isSecure: isSecure)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([
            handlers.heads, handlers.encoder, handlers.decoder, handlers.order, connection,
        ])
    }

    /// Takes all of them and `connection` away; bytes that were read already go on to who comes behind.
    func remove(with connection: ProxyConnection, from channel: any Channel) -> EventLoopFuture<Void> {
        // The decoder last: what it holds goes the way that is free by then.
        let leaving: [any RemovableChannelHandler] = [order, encoder, connection, heads, decoder]
        let pipeline = channel.pipeline.syncOperations
        return EventLoopFuture.andAllSucceed(leaving.map(pipeline.removeHandler), on: channel.eventLoop)
    }
}

/// Ends a client whose head of a request has no end, and keeps the client's own end for who comes behind.
final class HeadLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Bytes of a request's line and fields.
    static let longest = 32_768

    private var count = 0
    /// Whether a head is being read now; said by who gets it.
    var isReading = true {
        didSet { count = 0 }
    }
    /// Whether the client's end is a tunnel's, which is not there yet: the decoder would throw away what came before it.
    var holdsEnd = false
    private(set) var hasEnded = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        count += unwrapInboundIn(data).readableBytes
        context.fireChannelRead(data)
        if isReading, count > Self.longest { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if holdsEnd, (event as? ChannelEvent) == .inputClosed {
            hasEnded = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
