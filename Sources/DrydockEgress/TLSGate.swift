// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore

/// Holds what a client sends into a tunnel until it is known to be a TLS connection for the tunnel's host.
///
/// Without it a name that is allowed would open a way to every other that lies behind the same addresses.
final class TLSGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let patience = TimeAmount.seconds(20)

    private let target: ProxyTarget
    private let takesAnything: Bool
    private let decided: (Result<Void, Refusal>, TLSGate) -> Void
    private var held = ByteBuffer()
    private var isDecided = false
    private var timeout: Scheduled<Void>?

    /// `decided` hears once whether the tunnel is open; `takeHeld` has what was sent before.
    ///
    /// One that `takesAnything` is open at once.
    init(
        _ target: ProxyTarget,
        takesAnything: Bool,
        decided: @escaping (Result<Void, Refusal>, TLSGate) -> Void
    ) {
        self.target = target
        self.takesAnything = takesAnything
        self.decided = decided
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if takesAnything { return decide(nil) }
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            self?.decide("did not begin a TLS connection in time")
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        held.writeBuffer(&bytes)
        guard !isDecided else { return }
        switch ClientHello.read(held.readableBytesView) {
        case .needsMore where held.readableBytes <= 2 * ClientHello.longest: break
        case .needsMore, .refused: decide("was sent something else than a TLS connection")
        case .hello(let hello): decide(objection(to: hello))
        }
    }

    /// What the client has sent, which nobody has had yet.
    func takeHeld() -> ByteBuffer {
        defer { held.clear() }
        return held
    }

    /// What was sent before goes to who stands behind it.
    func removeHandler(context: ChannelHandlerContext, removalToken: ChannelHandlerContext.RemovalToken) {
        let held = takeHeld()
        if held.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(held))
            context.fireChannelReadComplete()
        }
        context.leavePipeline(removalToken: removalToken)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // After the decision it is the host's: the end stays in the socket until the tunnel is open.
        let isAnEnd = event is IdleStateHandler.IdleStateEvent || (event as? ChannelEvent) == .inputClosed
        if isAnEnd, !isDecided { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        context.fireChannelInactive()
    }

    private func objection(to hello: ClientHello) -> String? {
        if hello.isEncrypted { return "was sent a TLS connection that hides its host (ECH)" }
        guard let name = hello.serverName else {
            return "was sent a TLS connection that names no host (no SNI)"
        }
        guard (try? HostName(name)) == target.host else {
            return "was sent a TLS connection for another host"
        }
        return nil
    }

    private func decide(_ objection: String?) {
        guard !isDecided else { return }
        isDecided = true
        timeout?.cancel()
        if let objection {
            decided(.failure(Refusal(.denied, target, objection)), self)
        } else {
            decided(.success(()), self)
        }
    }
}

extension ByteBuffer {
    /// The alert that ends a TLS connection which is not let through: unrecognized_name (RFC 6066 section 3).
    static let unrecognizedName = ByteBuffer(bytes: [21, 3, 1, 0, 2, 2, 112])
}
