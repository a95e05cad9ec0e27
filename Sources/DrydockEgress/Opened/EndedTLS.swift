// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore

/// TLS of a client that ends in the proxy: for a host among those that are opened, and no other.
struct EndedTLS {
    let target: ProxyTarget
    let tls: SandboxTLS
    let egress: Egress

    /// Waits for the client to begin as it would with the host itself, and is the host then; behind what is in its pipeline
    /// now.
    ///
    /// Before `isReady` it is told nothing: what stands in the pipeline until then speaks another protocol.
    func prepare(_ client: any Channel, after isReady: EventLoopFuture<Void>) throws {
        let gate = TLSGate(target, takesAnything: false) { [self] result, gate in
            switch result {
            case .success:
                let bound = NIOLoopBound(gate, eventLoop: client.eventLoop)
                isReady.whenSuccess { open(client, bound.value) }
            case .failure(let refusal):
                egress.ledger.add(refusal)
                isReady.flatMap { client.writeAndFlush(ByteBuffer.unrecognizedName) }
                    .whenComplete { _ in client.close(promise: nil) }
            }
        }
        try client.pipeline.syncOperations.addHandler(gate)
    }

    private func open(_ client: any Channel, _ gate: TLSGate) {
        let pipeline = client.pipeline.syncOperations
        do {
            try pipeline.addHandler(try tls.server(for: target.host))
            try ProxyHandlers.add(to: client, egress, meant: target, isSecure: true)
        } catch {
            egress.ledger.add(Refusal(.unreachable, target, "could not be stood in for: \(error)"))
            return client.close(promise: nil)
        }
        pipeline.removeHandler(gate).whenFailure { _ in client.close(promise: nil) }
    }
}
