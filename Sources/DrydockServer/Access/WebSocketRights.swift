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
        _ work: (RequestedChange) async throws -> Void
    ) async throws {
        let change = audit.change(action, of: build, by: caller)
        try await audit.following(change) {
            do {
                try await gate.confirm(caller, for: .build)
            } catch let refusal as Refusal {
                throw refusal.problem
            }
            try await work(change)
        }
    }
}
