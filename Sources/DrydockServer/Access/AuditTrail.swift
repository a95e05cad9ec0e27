// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore

/// Writes down who changed what: each change once it was answered, and each that was refused to somebody with a token.
struct AuditTrail: Sendable {
    let store: any AccessStore
    let now: @Sendable () -> Timestamp

    /// What was asked for.
    struct Change: Sendable {
        /// By the operation's name.
        var action: String
        /// The build that it was asked of.
        var build: BuildID?
    }

    /// How it was answered.
    struct Answer: Sendable {
        var status: Int
        /// The build that came of it.
        var made: BuildID?
    }

    /// Carries out `work`, which says how the change was answered, and records it.
    ///
    /// What can not be recorded is an error: there is no change that nobody knows of. Rethrows what `work` throws.
    func following<Result: Sendable>(
        _ change: Change,
        by caller: Caller,
        _ work: () async throws -> (Result, Answer)
    ) async throws -> Result {
        let (result, answer): (Result, Answer)
        do {
            (result, answer) = try await work()
        } catch {
            try await refused(change, by: caller, Problem(explaining: error))
            throw error
        }
        try await record(change, by: caller, answer.status, made: answer.made)
        return result
    }

    /// Records a refusal, where it is known by its token to whom.
    func refused(_ change: Change, by caller: Caller, _ problem: Problem) async throws {
        guard caller.name != nil else { return }
        try await record(change, by: caller, problem.status, code: problem.code)
    }

    private func record(
        _ change: Change,
        by caller: Caller,
        _ status: Int,
        made: BuildID? = nil,
        code: String? = nil
    ) async throws {
        try await store.record(
            AuditRecord(
                at: now(),
                who: caller.name,
                address: caller.address,
                action: change.action,
                subject: change.build?.rawValue,
                made: made?.rawValue,
                status: status,
                code: code
            )
        )
    }
}
