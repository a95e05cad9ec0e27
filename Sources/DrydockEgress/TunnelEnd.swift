// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// One end of a tunnel: what it reads the other writes, no faster than that takes it, and each way ends by itself.
///
/// Both ends live on one event loop.
final class TunnelEnd: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var other: TunnelEnd?
    /// A read that waits until the other end takes more.
    private var isReadHeld = false
    private var hasEndedInput = false
    private var hasEndedOutput = false
    /// Bytes that came in here.
    private(set) var count: Int64 = 0
    /// Whether the tunnel was refused, and is in the ledger as that.
    var isRefused = false

    /// Makes the two ends of a tunnel.
    static func pair() -> (TunnelEnd, TunnelEnd) {
        let (one, two) = (TunnelEnd(), TunnelEnd())
        one.other = two
        two.other = one
        return (one, two)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        other = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        count += Int64(bytes.readableBytes)
        other?.context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { other?.context?.flush() }

    func read(context: ChannelHandlerContext) {
        if other?.context?.channel.isWritable ?? true { context.read() } else { isReadHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { other?.resume() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            hasEndedInput = true
            other?.endOutput()
        } else if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { other?.context?.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func resume() {
        guard isReadHeld, let context else { return }
        isReadHeld = false
        context.read()
    }

    private func endOutput() {
        guard let context, !hasEndedOutput else { return }
        hasEndedOutput = true
        if hasEndedInput {
            // After what is still to be written.
            context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        } else {
            context.close(mode: .output, promise: nil)
        }
    }
}
