// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore

/// Writes down which changes were refused, to somebody with a token; those that are made, the store records with them.
struct AuditTrail: Sendable {
    let store: any AccessStore
    let now: @Sendable () -> Timestamp

    /// A change that `caller` asks for.
    func change(_ action: String, of build: BuildID?, by caller: Caller) -> RequestedChange {
        RequestedChange(
            action: action,
            // Clients make up names: as much of one as a build's may have.
            build: build.map { BuildID(rawValue: String($0.rawValue.prefix(64))) },
            caller: caller,
            now: now
        )
    }

    /// Carries out `work`, which hands `change` to the store, and records why it failed where it did.
    ///
    /// What fails after the change was made, such as its answer, is a second record. Rethrows what `work` throws.
    func following<Result: Sendable>(
        _ change: RequestedChange,
        _ work: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await work()
        } catch {
            try await refused(change, Problem(explaining: error))
            throw error
        }
    }

    /// Records a refusal, where it is known by its token to whom.
    func refused(_ change: RequestedChange, _ problem: Problem) async throws {
        guard change.caller.name != nil else { return }
        try await store.record(change.record(problem.status, code: problem.code))
    }
}
