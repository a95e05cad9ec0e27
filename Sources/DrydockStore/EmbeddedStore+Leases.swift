// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import GRDB

extension EmbeddedStore {
    package func renew(_ lease: Lease) async throws -> Bool {
        let until = options.now().advanced(by: options.leaseDuration)
        let isOurs = try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE builds SET lease_until = ?
                    WHERE id = ? AND attempt = ? AND worker = ? AND lease_until IS NOT NULL
                    """,
                arguments: [
                    until.milliseconds, lease.build.id.rawValue, lease.attempt.rawValue,
                    lease.worker.rawValue,
                ]
            )
            return db.changesCount > 0
        }
        if !isOurs { fence(lease.attempt) }
        return isOurs
    }

    package func move(_ lease: Lease, to state: BuildState) async throws {
        guard !state.isTerminal else {
            // finish() and reap() end builds: they keep what belongs to the end in one transaction.
            throw StoreError.illegalMove(lease.build.id, from: lease.build.state, to: state)
        }
        do {
            try await database.write { db in
                var build = try Self.held(lease, db)
                try BuildRows.move(&build, to: state)
                try BuildRows.save(&build, db)
            }
        } catch let error as StoreError {
            if case .leaseLost = error { fence(lease.attempt) }
            throw error
        }
        bells.ring(.changes)
    }

    /// Ends the build; told again with the same end, it is fine.
    package func finish(
        _ lease: Lease,
        _ outcome: Outcome,
        artifacts: [Artifact],
        preview: PreviewReady?
    ) async throws {
        let end = BuildEnd(
            by: .worker,
            outcome: outcome,
            artifacts: artifacts,
            preview: preview,
            at: options.now()
        )
        try await database.write { db in
            let build = try BuildRows.require(lease.build.id, db)
            if build.attempt == lease.attempt, build.state == outcome.state { return }
            var mine = try Self.held(lease, db)
            try end.apply(to: &mine, db)
        }
        bells.ring(.changes)
    }

    package func leasedAttempts() async throws -> Set<AttemptID> {
        let ids = try await database.read { db in
            try String.fetchAll(
                db,
                sql: "SELECT attempt FROM builds WHERE lease_until IS NOT NULL AND attempt IS NOT NULL"
            )
        }
        return Set(ids.map(AttemptID.init(rawValue:)))
    }

    package func reap() async throws -> [Build] {
        let now = options.now()
        let gone = try await goneHolders()
        let lapsed = try await database.read { db in try Self.lapsed(at: now, holders: gone, db) }
        guard !lapsed.isEmpty else { return [] }
        // The journal is the truth: a worker that died between its last record and `finish` had ended the build.
        let ends = await Blocking.run { lapsed.map { self.ended(build: $0, at: now) } }
        let changed = try await database.write { [options] db in
            var changed: [Build] = []
            // Asked again, in the transaction: somebody may have renewed, ended or taken one meanwhile.
            let still = try Self.lapsed(at: now, holders: gone, db)
            for (seen, end) in zip(lapsed, ends) {
                guard var build = still.first(where: { $0.id == seen.id && $0.attempt == seen.attempt })
                else { continue }
                // One that can not be changed, for damage perhaps, is not to hold up the others.
                var reaped = false
                try? db.inSavepoint {
                    try Self.reap(&build, end, options, now, db)
                    reaped = true
                    return .commit
                }
                if reaped { changed.append(build) }
            }
            return changed
        }
        forget(gone)
        guard !changed.isEmpty else { return [] }
        let ended = changed.filter(\.state.isTerminal)
        await Blocking.run { for build in ended { self.completeJournal(of: build) } }
        bells.ring(.changes)
        return changed
    }

    /// Writes the end that the reaper gave a build into the journal that its worker left without one.
    private func completeJournal(of build: Build) {
        guard let attempt = build.attempt, let failure = build.failure else { return }
        let took = build.startedAt.flatMap { start in build.finishedAt.map { $0.since(start) } } ?? .zero
        let end = Finished(outcome: Outcome(failure), duration: took)
        // What fails here loses nothing: the index has the end, and readers take it from there.
        guard let writer = try? SegmentWriter(directory, build.id, attempt, now: options.now) else { return }
        _ = try? writer.append([.finished(end)], via: .host, step: nil)
        try? writer.close()
    }

    /// Closes the attempt's journal in this process: somebody else may own the build by now.
    private func fence(_ attempt: AttemptID) {
        writers.withLock { $0.removeValue(forKey: attempt)?.writer }?.fence()
    }

    /// What the lapsed attempt's journal says about its end; nil when it says nothing, or can not be read.
    private func ended(build: Build, at now: Timestamp) -> BuildEnd? {
        guard let attempt = build.attempt else { return nil }
        let fold = try? SegmentFold(directory.segment(build.id, attempt))  // unreadable counts as not ended
        return fold?.end(at: now)
    }

    // MARK: Inside a transaction

    /// The build as it is now, when `lease` still holds it.
    private static func held(_ lease: Lease, _ db: Database) throws -> Build {
        let rows = try BuildRows.fetch(
            db,
            "WHERE id = ? AND attempt = ? AND worker = ? AND lease_until IS NOT NULL",
            [lease.build.id.rawValue, lease.attempt.rawValue, lease.worker.rawValue]
        )
        guard let build = rows.first else { throw StoreError.leaseLost(lease.build.id, lease.attempt) }
        return build
    }

    private static func lapsed(
        at now: Timestamp,
        holders gone: Set<String>,
        _ db: Database
    ) throws -> [Build] {
        let marks = gone.map { _ in "?" }.joined(separator: ", ")
        let arguments: [any DatabaseValueConvertible] = [now.milliseconds] + Array(gone)
        return try BuildRows.fetch(
            db,
            "WHERE lease_until IS NOT NULL AND (lease_until < ? OR worker IN (\(marks)))",
            StatementArguments(arguments)
        )
    }

    private static func reap(
        _ build: inout Build,
        _ end: BuildEnd?,
        _ options: Options,
        _ now: Timestamp,
        _ db: Database
    ) throws {
        if let end { return try end.apply(to: &build, db, fromAnyState: true) }
        if build.damage != nil, let failure = build.failure {
            let end = BuildEnd(by: .reaper, outcome: Outcome(failure), at: now)
            return try end.apply(to: &build, db, fromAnyState: true)
        }
        if let attempt = build.attempt, let cancel = try cancelRequest(of: attempt, db) {
            return try BuildEnd(by: .reaper, outcome: Outcome(cancel.failure), at: now).apply(to: &build, db)
        }
        // Only what was lost counts: an attempt that a stopping worker handed back is none.
        try db.execute(
            sql: "UPDATE builds SET losses = losses + 1 WHERE id = ?",
            arguments: [build.id.rawValue]
        )
        let losses = try Int.fetchOne(
            db,
            sql: "SELECT losses FROM builds WHERE id = ?",
            arguments: [build.id.rawValue]
        )
        guard losses ?? 0 >= options.attempts else {
            try BuildRows.move(&build, to: .queued)
            return try BuildRows.save(&build, db)
        }
        let failure = Failure(
            .lost,
            .platform,
            "the worker of attempt \(build.attempts) was lost, and no attempt is left",
            hint: "look for its end in the log of `drydock worker`, then retry the build"
        )
        try BuildEnd(by: .reaper, outcome: Outcome(failure), at: now).apply(to: &build, db)
    }
}
