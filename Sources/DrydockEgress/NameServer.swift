// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import NIOPosix

/// The name server of one sandbox: answers for the names that its rules allow, and at once says of all others that they are
/// not there.
///
/// No question leaves the machine: a name is looked up outside when something connects to it.
final class NameServer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let egress: Egress

    private init(_ egress: Egress) { self.egress = egress }

    /// Serves `socket`, which it takes over, until the channel is closed.
    static func serve(
        _ socket: NIOBSDSocket.Handle,
        for egress: Egress,
        on group: any EventLoopGroup
    ) async throws -> any Channel {
        try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NameServer(egress))
                }
            }
            .withBoundSocket(socket)
            .get()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let question = NameQuestion(Array(envelope.data.readableBytesView)) else { return }
        let packet = ByteBuffer(bytes: question.answered(answer(to: question)))
        let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: packet)
        context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
    }

    private func answer(to question: NameQuestion) -> NameQuestion.Answer {
        guard let host = question.host, egress.connector.policy.names(host) else {
            egress.ledger.add(.notGranted(question.asked))
            return .noSuchName
        }
        guard question.wantsAddress else { return .nothing }
        return egress.names.address(of: host).map { .address($0) } ?? .noSuchName
    }
}
