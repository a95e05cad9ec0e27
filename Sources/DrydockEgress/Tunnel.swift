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
        loop.makeFutureWithTask { [connector = egress.connector, target] in
            try await connector.connect(to: target, on: loop) { $0.eventLoop.makeSucceededVoidFuture() }
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
        // After the end of both is waited for: who waits for the sandbox's end hears of it later than the ledger.
        defer { egress.admit(host: host) }
        EventLoopFuture.andAllComplete([client.closeFuture, host.closeFuture], on: client.eventLoop)
            .whenComplete { _ in
                let (front, back) = ends.value
                // What was refused is written down as that.
                guard front.isOpen else { return }
                egress.ledger.add(
                    NetworkUse(
                        host: target.host.text,
                        port: target.port,
                        verdict: .allowed(rule: "\(rule)"),
                        sent: ByteCount(front.count),
                        received: ByteCount(back.count),
                        duration: .nanoseconds((NIODeadline.now() - begun).nanoseconds)
                    )
                )
            }
    }

    private func open(_ client: any Channel, _ host: any Channel, _ gate: TLSGate) {
        client.pipeline.syncOperations.removeHandler(gate).flatMap {
            host.setOption(.autoRead, value: true).and(client.setOption(.autoRead, value: true))
        }.whenFailure { _ in client.close(promise: nil) }
    }

    private func refuse(_ refusal: Refusal, _ client: any Channel, _ host: (any Channel)?) {
        egress.ledger.add(refusal)
        host?.close(promise: nil)
        client.writeAndFlush(ByteBuffer.unrecognizedName).whenComplete { _ in client.close(promise: nil) }
    }
}
