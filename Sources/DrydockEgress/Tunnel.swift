// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore

/// A client and a host, to be tied together once the client has said what it wants from whom.
///
/// Until then it stands behind what is in the client's pipeline; from then on the relay has both sockets. All of it happens on
/// the event loop of both.
final class Tunnel {
    let target: ProxyTarget
    let rule: NetworkRule
    private let egress: Egress
    private let client: any Channel
    private let begun = NIODeadline.now()
    private var host: SeatedSocket?
    /// Whether the client has begun as it should.
    private var hasBegun = false
    /// Whether the client knows that its tunnel is there.
    private var isAnswered = false
    /// Whether it stands in the ledger, or the relay will see to that.
    private var isWritten = false
    private var isClosed = false

    private init(_ target: ProxyTarget, _ rule: NetworkRule, _ client: any Channel, _ egress: Egress) {
        self.target = target
        self.rule = rule
        self.client = client
        self.egress = egress
    }

    /// A tunnel to `host`, for a client that is told of it: `answered` is called then.
    static func prepare(
        to target: ProxyTarget,
        by rule: NetworkRule,
        _ client: any Channel,
        _ host: any Channel,
        _ egress: Egress
    ) throws -> Tunnel {
        let tunnel = Tunnel(target, rule, client, egress)
        // Out of its event loop before it has sent anything: what comes waits in the socket.
        tunnel.host = try egress.takeOut(host)
        try tunnel.watch { $0.open() }
        return tunnel
    }

    /// A tunnel that is connected once the client has begun as it should.
    ///
    /// For a client that knows of no proxy, so that nothing can be answered but by closing.
    static func prepare(
        to target: ProxyTarget,
        by rule: NetworkRule,
        _ client: any Channel,
        _ egress: Egress
    ) throws {
        let tunnel = Tunnel(target, rule, client, egress)
        tunnel.isAnswered = true
        try tunnel.watch { $0.connect() }
    }

    /// The client has the answer that its tunnel is there, and nothing else waits to be written to it.
    func answered() {
        isAnswered = true
        open()
    }

    private func watch(_ begin: @escaping (Tunnel) -> Void) throws {
        let isOpaque = egress.connector.isOpaque(target)
        let gate = TLSGate(target, takesAnything: isOpaque) { result, _ in
            switch result {
            case .success:
                self.hasBegun = true
                // What it sends from now on waits in its socket, and so does its end.
                self.client.setOption(.autoRead, value: false).whenFailure { [client = self.client] _ in
                    client.close(promise: nil)
                }
                begin(self)
            case .failure(let refusal): self.refuse(refusal)
            }
        }
        try client.pipeline.syncOperations.addHandler(gate)
        let bound = NIOLoopBound(self, eventLoop: client.eventLoop)
        client.closeFuture.whenComplete { _ in bound.value.closed() }
    }

    private func connect() {
        let loop = client.eventLoop
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.makeFutureWithTask { [egress, target] in
            try await egress.connector.tunnel(to: target, on: loop, for: egress)
        }.whenComplete { result in
            switch result {
            case .failure(let error): bound.value.fail(Refusal(error, bound.value.target))
            case .success(let host): bound.value.connected(host)
            }
        }
    }

    private func connected(_ channel: any Channel) {
        do {
            host = try egress.takeOut(channel)
        } catch {
            channel.close(promise: nil)
            return client.close(promise: nil)
        }
        // The client may be gone.
        if isClosed { closed() } else { open() }
    }

    private func open() {
        guard isAnswered, hasBegun, let host, !isClosed else { return }
        do {
            let gate = try client.pipeline.syncOperations.handler(type: TLSGate.self)
            let socket = try egress.takeOut(client)
            try carry(socket, host, Array(buffer: gate.takeHeld()))
        } catch let spent as NetworkAllowance.Spent {
            fail(spent.refusal(of: target))
        } catch {
            // The client is gone, or the sandbox.
            client.close(promise: nil)
        }
    }

    private func carry(_ client: SeatedSocket, _ host: SeatedSocket, _ first: [UInt8]) throws {
        let (target, rule, egress, begun) = (target, rule, egress, begun)
        let opening = Relay.Opening(client: client, host: host, first: first) { bytes in
            var use = NetworkUse(target, rule)
            use.sent = ByteCount(bytes.sent)
            use.received = ByteCount(bytes.received)
            use.duration = .nanoseconds((NIODeadline.now() - begun).nanoseconds)
            egress.ledger.add(use)
            if bytes.isCutOff { egress.ledger.add(egress.allowance.spent.refusal(of: target)) }
        }
        try egress.carry(opening)
        isWritten = true
        self.host = nil
    }

    private func closed() {
        isClosed = true
        // What was connected to and carried nothing is written down as well.
        guard host != nil else { return }
        host = nil
        guard !isWritten else { return }
        isWritten = true
        var use = NetworkUse(target, rule)
        use.duration = .nanoseconds((NIODeadline.now() - begun).nanoseconds)
        egress.ledger.add(use)
    }

    private func fail(_ refusal: Refusal) {
        isWritten = true
        egress.ledger.add(refusal)
        client.close(promise: nil)
    }

    private func refuse(_ refusal: Refusal) {
        isWritten = true
        egress.ledger.add(refusal)
        host = nil
        client.writeAndFlush(ByteBuffer.unrecognizedName).whenComplete { [client] _ in
            client.close(promise: nil)
        }
    }
}

extension NetworkUse {
    /// A connection that was made and has carried nothing yet.
    init(_ target: ProxyTarget, _ rule: NetworkRule) {
        self.init(host: target.host.text, port: target.port, verdict: .allowed(rule: "\(rule)"))
    }
}
