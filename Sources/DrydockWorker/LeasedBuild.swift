// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
package import DrydockStore
internal import Logging

/// One build under its lease: heartbeat and mailbox beside the run, and an end that is recorded whatever happens.
package struct LeasedBuild: Sendable {
    /// Well below a lease's time, so that one late heartbeat loses nothing.
    private static let heartbeat = Duration.seconds(8)

    let lease: Lease
    let shop: Workshop
    let stop: StopSignal

    /// For a lease that was taken by the caller itself.
    package init(lease: Lease, shop: Workshop) {
        self.init(lease: lease, shop: shop, stop: StopSignal())
    }

    init(lease: Lease, shop: Workshop, stop: StopSignal) {
        self.lease = lease
        self.shop = shop
        self.stop = stop
    }

    /// Asks for its end, as a cancel from the mailbox would.
    package func cancel(by: String, reason: String) {
        stop.stop(Failure(.cancelled, .user, "cancelled by \(by): \(reason)"))
    }

    /// Runs the build.
    ///
    /// Never throws: what can not be recorded is logged, and left to the reaper.
    ///
    /// Returns the outcome; nil when it was given back to the queue, or its lease was lost.
    @discardableResult
    package func run() async -> Outcome? {
        do {
            return try await runRecorded()
        } catch {
            shop.logger.error(
                "a build's end could not be recorded",
                metadata: ["build": "\(lease.build.id)", "attempt": "\(lease.attempt)", "error": "\(error)"]
            )
            return nil
        }
    }

    private func runRecorded() async throws -> Outcome? {
        let journal = try await shop.store.journal(lease)
        // What fails here was synced before the end was recorded.
        return try await Blocking.cleaning(
            up: { try? journal.close() },
            after: { try await run(with: journal) }
        )
    }

    private func run(with journal: any JournalWriter) async throws -> Outcome? {
        let sink = JournalSink(journal: journal, logCap: shop.options.policy.limits.log, stop: stop)
        let run = BuildRun(lease: lease, shop: shop, journal: journal, sink: sink, stop: stop)
        let requests = try await shop.store.cancelRequests(lease)
        let outcome = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await keepLease() }
            group.addTask {
                for await request in requests {
                    sink.record(.cancelRequested(by: request.by, reason: request.reason))
                    cancel(by: request.by, reason: request.reason)
                }
            }
            defer { group.cancelAll() }
            return try await run.run()
        }
        if outcome == nil, stop.reason == .handedBack {
            try await shop.store.move(lease, to: .queued)
        }
        return outcome
    }

    private func keepLease() async {
        while (try? await shop.clock.pause(for: Self.heartbeat)) != nil {
            do {
                guard try await shop.store.renew(lease) else {
                    return stop.stop(.leaseLost)
                }
            } catch {
                // The lease still has time: the next heartbeat may go through.
                shop.logger.warning(
                    "a heartbeat failed",
                    metadata: ["build": "\(lease.build.id)", "error": "\(error)"]
                )
            }
        }
    }
}
