// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import GRDB

extension EmbeddedStore {
    /// Adds every build to the index that has journals but no row.
    ///
    /// Returns how many were added.
    ///
    /// What no journal holds can not come back: where the source came from, builds that never started, idempotency
    /// keys. A build without `finished` in its newest journal becomes `errored(lost)`: nobody holds its lease any more.
    @discardableResult
    package func rebuildIndex() async throws -> Int {
        let count = try rebuildIndexNow()
        if count > 0 { bells.ring(.changes) }
        return count
    }

    @discardableResult
    func rebuildIndexNow() throws(StoreError) -> Int {
        var count = 0
        for name in try DataDirectory.names(in: directory.segments) {
            let id = BuildID(rawValue: name)
            let isKnown = try database.readNow { try BuildRows.find(id, $0) } != nil
            if !isKnown, try rebuild(id) { count += 1 }
        }
        return count
    }

    /// False when the build's folder has no journal that says what it was.
    private func rebuild(_ id: BuildID) throws(StoreError) -> Bool {
        let attempts = try DataDirectory.names(in: directory.segments(of: id))
            .filter { $0.hasSuffix(".ndjson") }
            .map { AttemptID(rawValue: String($0.dropLast(".ndjson".count))) }
        var folds: [(attempt: AttemptID, fold: SegmentFold)] = []
        for attempt in attempts {
            folds.append((attempt, try SegmentFold(directory.segment(id, attempt))))
        }
        guard let newest = folds.last, let queued = folds.lazy.compactMap(\.fold.queued).first else {
            return false
        }
        let request = BuildRequest(
            session: queued.session,
            project: queued.project,
            source: .path(""),
            trigger: queued.trigger,
            title: queued.title
        )
        let at = newest.fold.lastAt ?? queued.createdAt
        let lost = Failure(.lost, .platform, "the database was rebuilt while this build was under way")
        let end = newest.fold.end(at: at) ?? BuildEnd(outcome: Outcome(lost), at: at)
        return try database.writeNow { db in
            guard try BuildRows.find(id, db) == nil else { return false }
            var build = Build(
                id: id,
                request: request,
                state: .running,
                attempt: newest.attempt,
                attempts: folds.count,
                createdAt: queued.createdAt,
                startedAt: newest.fold.firstAt
            )
            try BuildRows.insert(&build, db)
            try end.apply(to: &build, db, byJournal: true)
            for (index, entry) in folds.enumerated() {
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO attempts (id, build, session, number, worker, started_at, counted)
                        VALUES (?, ?, ?, ?, ?, ?, 0)
                        """,
                    arguments: [
                        entry.attempt.rawValue, id.rawValue, queued.session.rawValue, index + 1, "",
                        (entry.fold.firstAt ?? queued.createdAt).milliseconds,
                    ]
                )
            }
            return true
        }
    }
}
