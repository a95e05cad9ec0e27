// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB

extension EmbeddedStore {
    package func enqueue(_ request: BuildRequest) async throws -> Build {
        let now = options.now()
        let (build, isNew) = try await database.write { [options] db in
            if let first = try Self.accepted(request, db) { return (first, false) }
            try Self.checkRoom(for: request.session, options, db)
            var build = Build(id: .make(at: now), request: request, state: .queued, createdAt: now)
            try BuildRows.insert(&build, db)
            return (build, true)
        }
        if isNew { bells.ring(.changes) }
        return build
    }

    package func enqueueLeased(_ request: BuildRequest, to worker: WorkerID) async throws -> Lease {
        let now = options.now()
        let lease = try await database.write { [options] db in
            if let first = try Self.accepted(request, db) { throw StoreError.alreadyAccepted(first.id) }
            var build = Build(id: .make(at: now), request: request, state: .queued, createdAt: now)
            try BuildRows.insert(&build, db)
            return try Self.lease(&build, to: worker, at: now, options, db)
        }
        bells.ring(.changes)
        return lease
    }

    package func lease(to worker: WorkerID) async throws -> Lease? {
        let now = options.now()
        // A look without a lock first: most wake-ups of a worker find nothing, and need not stop other writers.
        guard try await database.read({ try Self.hasWaiting($0) }) else { return nil }
        let lease = try await database.write { [options] db -> Lease? in
            let recent = now.advanced(by: .zero - options.fairnessWindow)
            guard var build = try Self.next(recent: recent, db) else { return nil }
            return try Self.lease(&build, to: worker, at: now, options, db)
        }
        if lease != nil { bells.ring(.changes) }
        return lease
    }

    package func queuePosition(_ id: BuildID) async throws -> Int? {
        try await database.read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT (SELECT COUNT(*) FROM builds AS older WHERE older.state = 'queued' AND older.number < mine.number)
                    FROM builds AS mine WHERE mine.id = ? AND mine.state = 'queued'
                    """,
                arguments: [id.rawValue]
            )
        }
    }

    // MARK: Inside a transaction

    /// The build that the request's idempotency key first made.
    private static func accepted(_ request: BuildRequest, _ db: Database) throws -> Build? {
        guard let key = request.idempotencyKey else { return nil }
        return try BuildRows.fetch(
            db,
            "WHERE session = ? AND idempotency_key = ?",
            [request.session.rawValue, key]
        ).first
    }

    private static func checkRoom(for session: SessionID, _ options: Options, _ db: Database) throws {
        let mine = try Int.fetchOne(
            db,
            sql: "SELECT COUNT(*) FROM builds WHERE state = 'queued' AND session = ?",
            arguments: [session.rawValue]
        )
        guard mine ?? 0 < options.queuedPerSession else {
            throw StoreError.queueFull(session: session, limit: options.queuedPerSession)
        }
        let all = try Int.fetchOne(db, sql: "SELECT waiting FROM counter")
        guard all ?? 0 < options.queuedInAll else {
            throw StoreError.queueFull(session: nil, limit: options.queuedInAll)
        }
    }

    private static func hasWaiting(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM builds WHERE state = 'queued')") ?? false
    }

    /// The oldest build of each session that has none running; of these the one whose session had the fewest starts
    /// since `recent`, then the oldest.
    private static func next(recent: Timestamp, _ db: Database) throws -> Build? {
        try BuildRows.fetch(
            db,
            """
            WHERE number = (
                SELECT head.number FROM (
                    SELECT session, MIN(number) AS number FROM builds WHERE state = 'queued' GROUP BY session
                ) AS head
                LEFT JOIN (
                    SELECT session, COUNT(*) AS count FROM attempts WHERE started_at > ? GROUP BY session
                ) AS starts ON starts.session = head.session
                WHERE NOT EXISTS (
                    SELECT 1 FROM builds AS running
                    WHERE running.lease_until IS NOT NULL AND running.session = head.session
                )
                ORDER BY COALESCE(starts.count, 0), head.number LIMIT 1
            )
            """,
            [recent.milliseconds]
        ).first
    }

    /// Makes the next attempt of a queued build, for `worker`.
    private static func lease(
        _ build: inout Build,
        to worker: WorkerID,
        at now: Timestamp,
        _ options: Options,
        _ db: Database
    ) throws -> Lease {
        let attempt = AttemptID.make(at: now)
        try BuildRows.move(&build, to: .preparing)
        build.attempt = attempt
        build.attempts += 1
        build.startedAt = now
        try BuildRows.save(&build, db)
        try db.execute(
            sql: "UPDATE builds SET worker = ?, lease_until = ? WHERE id = ?",
            arguments: [
                worker.rawValue, now.advanced(by: options.leaseDuration).milliseconds, build.id.rawValue,
            ]
        )
        try db.execute(
            sql:
                "INSERT INTO attempts (id, build, session, number, worker, started_at) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                attempt.rawValue, build.id.rawValue, build.request.session.rawValue, build.attempts,
                worker.rawValue, now.milliseconds,
            ]
        )
        return Lease(build: build, attempt: attempt, number: build.attempts, worker: worker)
    }
}
