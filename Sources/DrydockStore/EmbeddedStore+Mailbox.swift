// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB

extension EmbeddedStore {
    package func requestCancel(
        _ id: BuildID,
        by: String,
        reason: String,
        recording: @escaping Recording<CancelAnswer>
    ) async throws -> CancelAnswer {
        let now = options.now()
        let request = CancelRequest(by: Self.clipped(by), reason: Self.clipped(reason))
        let answer = try await database.write { db in
            let answer = try Self.cancel(id, request, at: now, db)
            try Self.record(recording(answer), db)
            return answer
        }
        switch answer {
        case .cancelled: bells.ring(.changes)
        case .requested: bells.ring(.mailbox)
        case .alreadyFinished, .noSuchBuild: break
        }
        return answer
    }

    /// Ends a build that waits, and puts a wish to cancel one that runs into the mailbox.
    private static func cancel(
        _ id: BuildID,
        _ request: CancelRequest,
        at now: Timestamp,
        _ db: Database
    ) throws -> CancelAnswer {
        guard var build = try BuildRows.find(id, db) else { return .noSuchBuild }
        if build.state.isTerminal { return .alreadyFinished }
        guard build.state != .queued, let attempt = build.attempt else {
            try BuildEnd(by: .queue, outcome: Outcome(request.failure), at: now).apply(to: &build, db)
            return .cancelled
        }
        // One a lease: the second wish to cancel says nothing new, and can not fill the mailbox.
        try db.execute(
            sql: "INSERT OR IGNORE INTO cancels (attempt, by, reason) VALUES (?, ?, ?)",
            arguments: [attempt.rawValue, request.by, request.reason]
        )
        return .requested
    }

    package func cancelRequests(_ lease: Lease) async throws -> AsyncStream<CancelRequest> {
        await bells.cancelRequests(of: lease.attempt)
    }

    static func cancelRequest(of attempt: AttemptID, _ db: Database) throws -> CancelRequest? {
        try Row.fetchOne(
            db,
            sql: "SELECT by, reason FROM cancels WHERE attempt = ?",
            arguments: [attempt.rawValue]
        ).map { CancelRequest(by: $0["by"], reason: $0["reason"]) }
    }

    /// Clients write these: a thousand characters are enough for a name or a reason.
    private static func clipped(_ text: String) -> String { String(text.prefix(1_000)) }
}

extension CancelRequest {
    /// What the build ends with when nobody else gives it an end.
    var failure: Failure {
        Failure(.cancelled, .user, reason.isEmpty ? "cancelled by \(by)" : "cancelled by \(by): \(reason)")
    }
}
