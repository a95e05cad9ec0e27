// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import NIOHTTP1

/// Holds a close back until the client has taken what was answered before it.
///
/// An answer is done, for Hummingbird and for the gate, when its last bytes wait in the connection: up to a mebibyte of it
/// then still has to go out, at the client's pace, and a close would throw it away. Half a close would do so too, where
/// the client has closed its own half. How long this may take is `RequestPace`'s to say: its own closes do not come by here.
final class LastBytes: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input, RequestPace.waiting(context) > 0 else {
            return context.close(mode: mode, promise: promise)
        }
        // Nothing, behind all the rest; it also fails when the connection does.
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(.init()))), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: mode, promise: promise) }
    }
}

@available(*, unavailable)
extension LastBytes: Sendable {}
