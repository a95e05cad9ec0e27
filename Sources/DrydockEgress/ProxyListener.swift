// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import NIOHTTP1
import NIOPosix

/// The proxy's door inside one sandbox: a listening socket that was made there.
///
/// A socket belongs to the network namespace it was made in, so whoever connects is known to be of that sandbox.
struct ProxyListener {
    /// Reads are large, so that few of them move much; what is not used is given back.
    static let buffers: any RecvByteBufferAllocator = AdaptiveRecvByteBufferAllocator(
        minimum: 2_048,
        initial: 16_384,
        maximum: 262_144
    )
    private static let silence = TimeAmount.minutes(5)

    /// Serves the clients of `socket`, which it takes over, until the channel is closed.
    static func serve(
        _ socket: NIOBSDSocket.Handle,
        for egress: Egress,
        on group: any EventLoopGroup
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.maxMessagesPerRead, value: 32)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: buffers)
            .childChannelInitializer { channel in
                guard egress.admit(client: channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: silence))
                    try ProxyHandlers.add(to: channel, egress)
                }
            }
            .withBoundSocket(socket)
            .get()
    }
}
