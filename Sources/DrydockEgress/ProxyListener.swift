// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// A door inside one sandbox: a listening socket that was made there.
///
/// A socket belongs to the network namespace it was made in, so whoever connects is known to be of that sandbox.
struct ProxyListener {
    /// Who comes through a door.
    enum Door: Hashable, Sendable {
        /// Clients of a proxy.
        case proxy
        /// Clients of hosts, on the port of plain HTTP: they have looked a name up and connect to what stands for it.
        case plain(port: UInt16)
        /// Clients of hosts, on a port of TLS.
        case tls(port: UInt16)
    }

    /// Reads grow with what comes, so that few of them move much; each end holds one.
    ///
    /// Not so large that a thousand clients who stop reading fill the worker's memory, and small at first: a request's head or a
    /// TLS connection's first message is.
    static let buffers: any RecvByteBufferAllocator = AdaptiveRecvByteBufferAllocator(
        minimum: 2_048,
        initial: 4_096,
        maximum: 131_072
    )
    /// Connections that wait to be accepted; one more waits for a second.
    static let backlog: Int32 = 512
    private static let silence = TimeAmount.minutes(5)

    /// Serves the clients of `socket`, which it takes over, until the channel is closed.
    static func serve(
        _ socket: NIOBSDSocket.Handle,
        _ door: Door,
        for egress: Egress,
        on group: any EventLoopGroup
    ) async throws -> any Channel {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.maxMessagesPerRead, value: 32)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: buffers)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                guard egress.admit(client: channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: silence))
                    try receive(channel, door, egress)
                }
            }
            .withBoundSocket(socket)
            .get()
        // NIO has had it listen with a backlog of its own, and takes the option for that too late.
        guard listen(socket, backlog) == 0 else {
            let problem = IOError(errnoCode: errno, reason: "listen")
            channel.close(promise: nil)
            throw problem
        }
        return channel
    }

    private static func receive(_ client: any Channel, _ door: Door, _ egress: Egress) throws {
        do {
            switch door {
            case .proxy: try ProxyHandlers.add(to: client, egress, meant: nil)
            case .plain(let port):
                try ProxyHandlers.add(to: client, egress, meant: try target(of: client, port, egress))
            case .tls(let port):
                let target = try target(of: client, port, egress)
                let rule = try egress.connector.rule(for: target)
                if let tls = egress.opened.tls(endingFor: target) {
                    let isReady = client.eventLoop.makeSucceededVoidFuture()
                    let ended = EndedTLS(target: target, tls: tls, egress: egress)
                    return try ended.prepare(client, after: isReady)
                }
                try Tunnel.prepare(to: target, by: rule, client, egress)
            }
        } catch let refusal as Refusal {
            egress.ledger.add(refusal)
            throw refusal
        }
    }

    /// Whom a client means that has connected to an address of the sandbox's own.
    private static func target(
        of client: any Channel,
        _ port: UInt16,
        _ egress: Egress
    ) throws(Refusal) -> ProxyTarget {
        guard case .v4(let address)? = client.localAddress,
            let host = egress.names.name(of: UInt32(bigEndian: address.address.sin_addr.s_addr))
        else {
            let shown = client.localAddress?.ipAddress ?? ""
            throw Refusal(.denied, host: shown, port: port, "stands for no host")
        }
        return ProxyTarget(host: host, port: port)
    }
}
