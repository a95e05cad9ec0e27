// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Glibc
import NIOCore
import NIOPosix

/// Makes the connections that a proxy's clients asked for: the one place where a name becomes an address, and an address a
/// connection.
///
/// Each name is looked up once, every answer is vetted, and what is connected to is a vetted answer: there is no second
/// question that could be answered differently.
struct Connector: Sendable {
    /// Answers that are tried before it is given up.
    private static let mostTries = 3
    private static let patience = TimeAmount.seconds(10)

    let policy: NetworkPolicy
    let settings: EgressSettings
    let lookups: LookupCache

    /// The rule by which `target` may be reached; throws where there is none.
    func rule(for target: ProxyTarget) throws(Refusal) -> NetworkRule {
        if let rule = policy.rule(for: target.host, port: target.port) { return rule }
        throw .notGranted(target.host.text, port: target.port)
    }

    /// Whether the operator has what goes to `target` unlooked at.
    func isOpaque(_ target: ProxyTarget) -> Bool {
        settings.opaque.contains { $0.allows(target.host, port: target.port) }
    }

    /// The proxy that requests for `host` are passed on to; nil where they go to the host itself.
    func upstream(for host: HostName) -> Upstream? {
        guard let upstream = settings.upstream, upstream.leads(to: host) else { return nil }
        return upstream
    }

    /// A connection that carries bytes to `target` and back, on `loop`; it reads nothing until it is told to.
    func tunnel(
        to target: ProxyTarget,
        on loop: any EventLoop,
        for egress: Egress
    ) async throws -> any Channel {
        let channel = try await requests(to: target, on: loop, for: egress) {
            $0.eventLoop.makeSucceededVoidFuture()
        }
        if let upstream = upstream(for: target.host) { try await upstream.tunnel(channel, to: target) }
        return channel
    }

    /// A connection that a plain request for `target` is sent on, to the host or to the proxy in front of it.
    func requests(
        to target: ProxyTarget,
        on loop: any EventLoop,
        for egress: Egress,
        _ initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) async throws -> any Channel {
        guard !egress.allowance.isSpent else { throw egress.allowance.spent.refusal(of: target) }
        guard let upstream = upstream(for: target.host) else {
            return try await open(target, on: loop, for: egress, initialize)
        }
        return try await open(upstream, for: target, on: loop, egress, initialize)
    }

    private func open(
        _ upstream: Upstream,
        for target: ProxyTarget,
        on loop: any EventLoop,
        _ egress: Egress,
        _ initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) async throws -> any Channel {
        do {
            return try await open(upstream.target, on: loop, for: egress, initialize)
        } catch let refusal as Refusal where refusal.kind != .busy {
            // Whose host the project asked for, and did not get.
            throw Refusal(.unreachable, target, "can not be reached: the operator's proxy \(refusal.reason)")
        }
    }

    /// `egress` knows of it from before it is there: it ends with the sandbox, and there is an end to how many there are.
    private func open(
        _ target: ProxyTarget,
        on loop: any EventLoop,
        for egress: Egress,
        _ initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) async throws -> any Channel {
        let addresses = try await vetted(target)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Self.patience)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .channelOption(.recvAllocator, value: ProxyListener.buffers)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                guard egress.admit(host: channel) else {
                    let busy = Refusal(.busy, target, "was asked for with too many others at a time")
                    return channel.eventLoop.makeFailedFuture(busy)
                }
                let meter = NetworkMeter(egress.allowance)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(meter)
                }.flatMap { initialize(channel) }
            }
        var last: (any Error)?
        for address in addresses.prefix(Self.mostTries) {
            do {
                let socket = try SocketAddress(
                    packedIPAddress: ByteBuffer(bytes: address.bytes),
                    port: Int(target.port)
                )
                return try await bootstrap.connect(to: socket).get()
            } catch {
                last = error
            }
        }
        if let refusal = last as? Refusal { throw refusal }
        let why = (last as? IOError).map { Self.word($0.errnoCode) } ?? "did not answer in time"
        throw Refusal(.unreachable, target, why)
    }

    /// The addresses of `target` that may be connected to.
    ///
    /// One bad answer spoils all: whoever answers for the name is not to be trusted with the others.
    private func vetted(_ target: ProxyTarget) async throws(Refusal) -> [IPAddress] {
        guard let addresses = await lookups.addresses(of: target.host) else {
            throw Refusal(.busy, target, "was asked for with too many others at a time")
        }
        guard !addresses.isEmpty else { throw Refusal(.unreachable, target, "has no address") }
        for address in addresses {
            guard let refusal = settings.vetting.refusal(of: address, for: target.host) else { continue }
            throw Refusal(.denied, target, "leads to \(refusal)")
        }
        return addresses
    }

    private static func word(_ errno: Int32) -> String {
        switch errno {
        case ECONNREFUSED: "refused the connection"
        case EHOSTUNREACH, ENETUNREACH: "can not be reached from here"
        default: "can not be reached (errno \(errno))"
        }
    }
}
