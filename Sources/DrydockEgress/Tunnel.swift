// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore

/// A client and a host, tied together once the client has said what it wants from whom.
struct Tunnel {
    let target: ProxyTarget
    let rule: NetworkRule
    let egress: Egress

    /// Ties the two, once the client has begun as it should; behind what is in the client's pipeline now, which may be removed
    /// then.
    ///
    /// Called on the event loop of both.
    func prepare(_ client: any Channel, _ host: any Channel) throws {
        let gate = TLSGate(target) { [self] result, gate in
            switch result {
            case .success: open(client, host, gate)
            case .failure(let refusal): refuse(refusal, client, host)
            }
        }
        try client.pipeline.syncOperations.addHandler(gate)
        try tie(client, host)
    }

    /// Waits for the client to begin as it should, connects, and ties the two.
    ///
    /// For a client that knows of no proxy, so that nothing can be answered but by closing.
    func prepare(_ client: any Channel) throws {
        let gate = TLSGate(target) { [self] result, gate in
            switch result {
            case .success: connect(client, gate)
            case .failure(let refusal): refuse(refusal, client, nil)
            }
        }
        try client.pipeline.syncOperations.addHandler(gate)
    }

    private func connect(_ client: any Channel, _ gate: TLSGate) {
        let loop = client.eventLoop
        let bound = NIOLoopBound(gate, eventLoop: loop)
        // What it sends meanwhile waits in its socket.
        client.setOption(.autoRead, value: false).whenFailure { _ in client.close(promise: nil) }
        loop.makeFutureWithTask { [egress, target] in
            try await egress.connector.tunnel(to: target, on: loop, for: egress)
        }.whenComplete { result in
            switch result {
            case .failure(let error):
                egress.ledger.add(Refusal(error, target))
                client.close(promise: nil)
            case .success(let host):
                do {
                    try tie(client, host)
                    open(client, host, bound.value)
                } catch {
                    // The client is gone.
                    host.close(promise: nil)
                }
            }
        }
    }

    private func tie(_ client: any Channel, _ host: any Channel) throws {
        let begun = NIODeadline.now()
        let (front, back) = TunnelEnd.pair()
        try client.pipeline.syncOperations.addHandler(front)
        try host.pipeline.syncOperations.addHandler(back)
        let ends = NIOLoopBound((front, back), eventLoop: client.eventLoop)
        EventLoopFuture.andAllComplete([client.closeFuture, host.closeFuture], on: client.eventLoop)
            .whenComplete { _ in
                let (front, back) = ends.value
                // What was refused is written down as that.
                guard !front.isRefused else { return }
                var use = NetworkUse(target, rule)
                use.sent = ByteCount(front.count)
                use.received = ByteCount(back.count)
                use.duration = .nanoseconds((NIODeadline.now() - begun).nanoseconds)
                egress.ledger.add(use)
            }
    }

    private func open(_ client: any Channel, _ host: any Channel, _ gate: TLSGate) {
        client.pipeline.syncOperations.removeHandler(gate).flatMap {
            host.setOption(.autoRead, value: true).and(client.setOption(.autoRead, value: true))
        }.whenFailure { _ in client.close(promise: nil) }
    }

    private func refuse(_ refusal: Refusal, _ client: any Channel, _ host: (any Channel)?) {
        egress.ledger.add(refusal)
        // There is none yet where nothing was connected to.
        (try? client.pipeline.syncOperations.handler(type: TunnelEnd.self))?.isRefused = true
        host?.close(promise: nil)
        client.writeAndFlush(ByteBuffer.unrecognizedName).whenComplete { _ in client.close(promise: nil) }
    }
}

extension NetworkUse {
    /// A connection that was made and has carried nothing yet.
    init(_ target: ProxyTarget, _ rule: NetworkRule) {
        self.init(host: target.host.text, port: target.port, verdict: .allowed(rule: "\(rule)"))
    }
}
