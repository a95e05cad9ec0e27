// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import GRDB
import SystemPackage

extension EmbeddedStore {
    /// Builds or blobs that go in one transaction, which nobody else can write during.
    private static let removedAtOnce = 200
    /// A blob is older than that before it is taken for nobody's: one that was written just now is about to be referred to.
    static let youth = Duration.seconds(24 * 3_600)

    package func collectGarbage(_ retention: Retention, isTrial: Bool) async throws -> GarbageReport? {
        guard let lock = try await garbageLock() else { return nil }
        defer { withExtendedLifetime(lock) {} }
        // What has a journal and no row would be nobody's: a rebuild that was interrupted, rows that a backup was older than.
        let added = try await Blocking.run { [self] in try rebuildIndexNow() }
        if added > 0 { bells.ring(.changes) }
        _ = try await reap()
        try await readAllJournals()
        let found = try await Blocking.run { [blobs, damage] in
            try blobs.all { damage.report(.stray($0)) }
        }
        let builds = try await retainedBuilds()
        let damaged = Set(builds.lazy.filter(\.build.isDamaged).map(\.build.id))
        if let other = retention.forgotten.first(where: { !damaged.contains($0) }) {
            throw StoreError.notDamaged(other)
        }
        var report = GarbageReport()
        let now = options.now()
        report.builds = retention.removed(
            from: builds.map(\.build),
            blobs: found.mapValues(\.size),
            now: now
        )
        let gone = Set(report.builds)
        report.unreadable = builds.filter { $0.isUnreadable && !gone.contains($0.build.id) }.map(\.build.id)
        let sizes = builds.reduce(into: Int64(0)) { if gone.contains($1.build.id) { $0 += $1.build.journal } }
        if !isTrial { try await remove(report.builds) }
        let kept = builds.filter { !gone.contains($0.build.id) }
        let referred = kept.reduce(into: Set<Digest>()) { $0.formUnion($1.build.blobs) }
        let old = found.filter { digest, file in
            !referred.contains(digest) && now.since(file.changedAt) > Self.youth
        }
        let nobodys = report.unreadable.isEmpty ? Array(old.keys) : []
        let taken = isTrial ? nobodys : try await removeBlobs(nobodys)
        report.blobs = taken.count
        report.records = try await collectAudit(olderThan: retention.age, isTrial: isTrial)
        report.size = ByteCount(taken.reduce(sizes) { $0 + (old[$1]?.size ?? 0) })
        if !report.builds.isEmpty, !isTrial { bells.ring(.changes) }
        return report
    }

    /// Held while somebody collects, or copies what must not go meanwhile; nil when somebody else does.
    func garbageLock() async throws -> LivenessLock? {
        let path = directory.garbageLock
        do throws(Errno) {
            return try await Blocking.run { () throws(Errno) in try LivenessLock.take(path) }
        } catch {
            throw StoreError.system("locking", path, error)
        }
    }

    /// Nothing is nobody's before every journal's references are known.
    private func readAllJournals() async throws {
        let ids = try await database.read { db in
            try String.fetchAll(db, sql: "SELECT id FROM builds WHERE journal = 'ends' ORDER BY number")
        }
        for id in ids { try await readWholeJournal(of: BuildID(rawValue: id)) }
    }

    private struct Retained: Sendable {
        var build: RetainedBuild
        var isUnreadable: Bool
    }

    /// All builds, the newest first.
    private func retainedBuilds() async throws -> [Retained] {
        let builds = try await database.read { db in
            var references: [String: Set<Digest>] = [:]
            let rows = try Row.fetchCursor(db, sql: "SELECT build, digest FROM artifacts")
            while let row = try rows.next() {
                guard let build: String = BuildRow.value("build", of: row),
                    let digest: String = BuildRow.value("digest", of: row)
                else { continue }
                references[build, default: []].insert(Digest(rawValue: digest))
            }
            let builds = try Row.fetchCursor(
                db,
                sql: """
                    SELECT id, project, state, finished_at, lease_until, source_blob, journal FROM builds
                    ORDER BY number DESC
                    """
            )
            var retained: [Retained] = []
            while let row = try builds.next() { retained.append(Self.retained(row, &references)) }
            return retained
        }
        return try await Blocking.run { [directory] in
            try FileLock.holding(directory.sealingLock) { () throws(StoreError) in
                var builds = builds
                for number in builds.indices {
                    builds[number].build.journal = try directory.sizeOfSegments(of: builds[number].build.id)
                }
                return builds
            }
        }
    }

    private static func retained(_ row: Row, _ references: inout [String: Set<Digest>]) -> Retained {
        let id: String = BuildRow.value("id", of: row) ?? ""
        let state = BuildRow.value("state", of: row).flatMap(BuildState.init(rawValue:))
        let lease: Int64? = BuildRow.value("lease_until", of: row)
        let journal = BuildRow.value("journal", of: row).flatMap(BuildRows.JournalReading.init(rawValue:))
        let finishedAt: Int64? = BuildRow.value("finished_at", of: row)
        var blobs = references.removeValue(forKey: id) ?? []
        if let source: String = BuildRow.value("source_blob", of: row) {
            blobs.insert(Digest(rawValue: source))
        }
        let isUnreadable = id.isEmpty || state == nil || journal != .whole
        let hasEnded = state?.isTerminal == true && lease == nil && !isUnreadable
        var build = RetainedBuild(
            id: BuildID(rawValue: id),
            project: ProjectName(rawValue: BuildRow.value("project", of: row) ?? ""),
            endedAt: hasEnded ? finishedAt.map(Timestamp.init(milliseconds:)) : nil,
            succeeded: state == .succeeded,
            blobs: blobs,
            journal: 0
        )
        build.isDamaged = isUnreadable && lease == nil && !id.isEmpty
        return Retained(build: build, isUnreadable: isUnreadable)
    }

    /// Journals go before rows: what is interrupted is found again by its row, and a journal that has none is never taken
    /// for garbage, since an index can be restored from it.
    private func remove(_ builds: [BuildID]) async throws {
        var rest = builds[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.removedAtOnce))
            rest = rest.dropFirst(some.count)
            try await Blocking.run { [directory] in
                try FileLock.holding(directory.sealingLock) { () throws(StoreError) in
                    for build in some { try directory.removeSegments(of: build) }
                }
            }
            try await database.write { db in
                for build in some {
                    for table in ["attempts", "artifacts", "deploys"] {
                        try db.execute(
                            sql: "DELETE FROM \(table) WHERE build = ?",
                            arguments: [build.rawValue]
                        )
                    }
                    try db.execute(sql: "DELETE FROM builds WHERE id = ?", arguments: [build.rawValue])
                }
            }
        }
    }

    /// Removes those that still nobody refers to, and returns which these were.
    private func removeBlobs(_ digests: [Digest]) async throws -> [Digest] {
        let now = options.now()
        var removed: [Digest] = []
        var rest = digests[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.removedAtOnce))
            rest = rest.dropFirst(some.count)
            removed += try await database.write { [blobs] db in
                // Asked again, in a transaction of its own kind: no build can come to name one between look and deletion.
                let free = try some.filter { try !Self.isNamed($0, db) }
                return try blobs.remove(free, olderThan: Self.youth, now: now)
            }
        }
        return removed
    }

    /// Whether a build refers to the blob.
    static func isNamed(_ digest: Digest, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM builds WHERE source_blob = :digest)
                    OR EXISTS (SELECT 1 FROM artifacts WHERE digest = :digest)
                """,
            arguments: ["digest": digest.rawValue]
        ) ?? true
    }
}
