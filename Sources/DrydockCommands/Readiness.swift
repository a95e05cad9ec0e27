// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockStore
internal import Synchronization

/// Whether the server should be sent work: a worker works, its sandbox holds, and disk and database take changes.
///
/// Anybody may ask, as often as they like: the disk is tried once a second at most.
final class Readiness: Sendable {
    private struct Answer {
        var failure: Failure?
        var at: ContinuousClock.Instant
    }

    private static let freshness = Duration.seconds(1)

    private let store: any Store
    private let supervisor: WorkerSupervisor
    private let last = Mutex<Answer?>(nil)

    init(store: any Store, supervisor: WorkerSupervisor) {
        self.store = store
        self.supervisor = supervisor
    }

    /// Why it should not; nil when it should.
    func failure() async -> Failure? {
        if let failure = workerFailure { return failure }
        let now = ContinuousClock.now
        let known = last.withLock { last -> Answer? in
            if let answer = last, now - answer.at < Self.freshness { return answer }
            // Until the new answer is there the old one is given to others.
            last = last.map { Answer(failure: $0.failure, at: now) }
            return nil
        }
        if let known { return known.failure }
        let failure = await storeFailure()
        last.withLock { $0 = Answer(failure: failure, at: now) }
        return failure
    }

    private var workerFailure: Failure? {
        switch supervisor.health {
        case .works: nil
        case .absent:
            Failure(
                .internal,
                .platform,
                "no worker serves the data directory",
                hint: "look at the server's log"
            )
        case .silent(let time):
            Failure(
                .internal,
                .platform,
                "the worker has not answered for \(time.components.seconds) s",
                hint:
                    "after \(WorkerWatch.patience.components.seconds) s it is ended, and another one started"
            )
        }
    }

    private func storeFailure() async -> Failure? {
        do {
            try await store.checkWritable()
            return try await store.latestProof()?.failure
        } catch let error as StoreError {
            return error.failure
        } catch {
            return Failure(.internal, .platform, "the store can not be written: \(error)")
        }
    }
}
