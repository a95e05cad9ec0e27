// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import Synchronization

/// What one sandbox may still move over the network, both ways together.
///
/// It is charged before bytes go on, so that what is beyond the limit never does.
final class NetworkAllowance: Sendable {
    /// Why a connection was cut off.
    struct Spent: Error {
        let limit: ByteCount

        func refusal(of target: ProxyTarget) -> Refusal {
            Refusal(.denied, target, NetworkUse.reason(ofLimit: limit))
        }
    }

    private let limit: ByteCount
    /// Below zero, it has been asked for too much once: then nothing more goes through, be it ever so little.
    private let left: Atomic<Int64>

    init(_ limit: ByteCount = LimitBounds.network.upperBound) {
        self.limit = limit
        left = Atomic(limit.bytes)
    }

    /// Takes so many bytes off; false where there are not so many left, and from then on.
    func take(_ count: Int) -> Bool {
        left.wrappingSubtract(Int64(count), ordering: .relaxed).newValue >= 0
    }

    var isSpent: Bool { left.load(ordering: .relaxed) <= 0 }

    /// How its end is told.
    var spent: Spent { Spent(limit: limit) }
}

/// Charges what goes over a connection to a host, heads of requests and TLS records with the rest; nearest to the socket.
final class NetworkMeter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData

    private let allowance: NetworkAllowance

    init(_ allowance: NetworkAllowance) { self.allowance = allowance }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard allowance.take(unwrapInboundIn(data).readableBytes) else { return cut(context) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard allowance.take(unwrapOutboundIn(data).readableBytes) else {
            promise?.fail(allowance.spent)
            return cut(context)
        }
        context.write(data, promise: promise)
    }

    /// First why, then the end: who hears of the end first takes it for the host's.
    private func cut(_ context: ChannelHandlerContext) {
        context.fireErrorCaught(allowance.spent)
        context.close(promise: nil)
    }
}
