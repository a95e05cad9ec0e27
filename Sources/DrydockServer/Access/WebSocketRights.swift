// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// What the holder of one `/ws` connection may do: more than watch only with the scope for it, and it is recorded.
struct WebSocketRights: Sendable {
    let gate: Gatekeeper
    let audit: AuditTrail
    let caller: Caller

    /// Carries out a change of a build as HTTP would: with the token as it is now, not as it was when the connection came.
    func change(
        _ action: String,
        _ build: BuildID,
        _ work: () async throws -> AuditTrail.Answer
    ) async throws {
        let change = AuditTrail.Change(
            action: action,
            build: BuildID(rawValue: String(build.rawValue.prefix(64)))
        )
        try await audit.following(change, by: caller) {
            do {
                try await gate.confirm(caller, for: .build)
            } catch let refusal as Refusal {
                throw refusal.problem
            }
            return ((), try await work())
        }
    }
}
