// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB

extension EmbeddedStore {
    package func enqueue(
        _ request: BuildRequest,
        recording: @escaping Recording<Build>
    ) async throws -> Build {
        let now = options.now()
        let (build, isNew) = try await database.write { [options] db in
            if let first = try Self.accepted(request, db) {
                try Self.record(recording(first), db)
                return (first, false)
            }
            try Self.checkRoom(for: request.submitter, request.session, options, db)
            var build = Build(id: .make(at: now), request: request, state: .queued, createdAt: now)
            try BuildRows.insert(&build, db)
            try Self.record(recording(build), db)
            return (build, true)
        }
        if isNew { bells.ring(.changes) }
        return build
    }

    package func enqueueLeased(_ request: BuildRequest, to worker: WorkerID) async throws -> Lease {
        let now = options.now()
        let lease = try await database.write { [options] db in
            try Self.forgetStarts(before: now.advanced(by: .zero - options.fairnessWindow), db)
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
            try Self.forgetStarts(before: now.advanced(by: .zero - options.fairnessWindow), db)
            while var build = try Self.next(db) {
                if build.damage == nil { return try Self.lease(&build, to: worker, at: now, options, db) }
                // Nobody can build it any more: its end is recorded, and the next one's turn comes.
                guard try Self.endDamagedHead(at: now, db) else { return nil }
            }
            return nil
        }
        if lease != nil { bells.ring(.changes) }
        return lease
    }

    package func checkRoom(
        for submitter: Digest?,
        _ session: SessionID?,
        repeating key: String?,
        in scope: String
    ) async throws {
        try await database.read { [options] db in
            if let key, try !Self.builds(of: key, in: scope, session, db).isEmpty { return }
            try Self.checkRoom(for: submitter, session, options, db)
        }
    }

    // MARK: Inside a transaction

    /// The build that the request's idempotency key first made.
    private static func accepted(_ request: BuildRequest, _ db: Database) throws -> Build? {
        guard let idempotency = request.idempotency else { return nil }
        let rows = try builds(of: idempotency.key, in: idempotency.scope, request.session, db)
        guard let first = rows.first else { return nil }
        // A row from before bodies were kept says nothing of its body.
        if let body = first.request.idempotency?.body, body != idempotency.body {
            throw StoreError.keyReused(first.id)
        }
        return first
    }

    /// What an idempotency key made.
    private static func builds(
        of key: String,
        in scope: String,
        _ session: SessionID?,
        _ db: Database
    ) throws -> [Build] {
        try BuildRows.fetch(
            db,
            // Keys from before they belonged to tokens belonged to sessions.
            "WHERE idempotency_key = ? AND idempotency_scope IN (?, 'session ' || ?)",
            [key, scope, session?.rawValue]
        )
    }

    private static func checkRoom(
        for submitter: Digest?,
        _ session: SessionID?,
        _ options: Options,
        _ db: Database
    ) throws {
        func check(
            _ share: QueueShare,
            _ limit: Int,
            _ sql: String,
            _ arguments: StatementArguments = []
        ) throws {
            let waiting = try Int.fetchOne(db, sql: sql, arguments: arguments) ?? 0
            guard waiting < limit else { throw StoreError.queueFull(share, limit: limit) }
        }
        if let session {
            let sql = "SELECT COUNT(*) FROM builds WHERE state = 'queued' AND session = ?"
            try check(.session(session), options.queuedPerSession, sql, [session.rawValue])
        }
        if let submitter {
            let sql = "SELECT waiting FROM submitters WHERE submitter = ?"
            try check(.submitter, options.queuedPerSubmitter, sql, [submitter.rawValue])
        }
        try check(.all, options.queuedInAll, "SELECT waiting FROM counter")
    }

    private static func hasWaiting(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM builds WHERE state = 'queued')") ?? false
    }

    /// The number of the build whose turn it is.
    ///
    /// The oldest build of each session that has none running. Of these those of sessions in which the submitter with the fewest
    /// running, then with the fewest starts lately, has one waiting; of these sessions the one with the fewest starts lately;
    /// then the oldest. Sessions by themselves would not be fair: who wants more turns makes up more sessions.
    private static let turn = """
        SELECT head FROM (
            SELECT running, starts, (
                SELECT head FROM places
                WHERE places.submitter = submitters.submitter AND places.waiting > 0 AND places.running = 0
                ORDER BY places.starts, places.head LIMIT 1
            ) AS head FROM submitters WHERE waiting > 0
        ) WHERE head IS NOT NULL ORDER BY running, starts, head LIMIT 1
        """

    private static func next(_ db: Database) throws -> Build? {
        try BuildRows.fetch(db, "WHERE number = (\(turn))", []).first
    }

    /// Ends the row whose turn it is by its place, since its id may be what is damaged; false when that changed nothing.
    private static func endDamagedHead(at now: Timestamp, _ db: Database) throws -> Bool {
        try db.execute(
            sql:
                "UPDATE builds SET state = 'errored', finished_at = ?, ended_by = ? WHERE number = (\(turn))",
            arguments: [now.milliseconds, BuildEnd.Author.queue.rawValue]
        )
        return db.changesCount > 0
    }

    /// Starts from before `recent` stop to count; a few at a time, so that no claim pays for a thousand others.
    private static func forgetStarts(before recent: Timestamp, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE attempts SET counted = 0 WHERE id IN (
                    SELECT id FROM attempts WHERE counted = 1 AND started_at <= ? ORDER BY started_at LIMIT 64
                )
                """,
            arguments: [recent.milliseconds]
        )
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
                "INSERT INTO attempts (id, build, session, submitter, number, worker, started_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                attempt.rawValue, build.id.rawValue, build.request.session.rawValue,
                build.request.submitter?.rawValue ?? "", build.attempts, worker.rawValue, now.milliseconds,
            ]
        )
        return Lease(build: build, attempt: attempt, number: build.attempts, worker: worker)
    }
}
