// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
package import DrydockOS
package import DrydockSandbox
package import DrydockStore
package import Logging
internal import Synchronization

/// Has the sandbox attacked when a worker starts and every hour, and keeps it from taking builds once that succeeded.
///
/// What was breached once stays so for this worker: an operator mends the machine and restarts it.
package final class ProofKeeper: Sendable {
    private static let interval = Duration.seconds(3_600)

    private let prover: SandboxProver
    private let store: any Store
    private let clock: any MonotonicClock
    private let logger: Logger
    private let breach = Mutex<Failure?>(nil)

    package init(prover: SandboxProver, store: any Store, clock: any MonotonicClock, logger: Logger) {
        self.prover = prover
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// Why no build may be started.
    var failure: Failure? { breach.withLock { $0 } }

    /// Attacks once, now.
    func prove() async {
        do {
            let proof = try await prover.prove()
            if let failure = proof.failure { breach.withLock { $0 = $0 ?? failure } }
            tell(proof)
            try await store.record(proof)
        } catch {
            // Builds will say the same; and what could not be tried was not breached.
            logger.error("the sandbox could not be proven: \(error)")
        }
    }

    /// Attacks every hour until the task is cancelled.
    func run() async {
        while (try? await clock.pause(for: Self.interval)) != nil { await prove() }
    }

    private func tell(_ proof: SandboxProof) {
        if let failure = proof.failure {
            logger.critical("\(failure.message): \(failure.hint ?? "")")
        } else if !proof.inconclusive.isEmpty {
            logger.warning("the sandbox was attacked: \(proof.words)")
        } else {
            logger.info("the sandbox was attacked: \(proof.words)")
        }
    }
}
