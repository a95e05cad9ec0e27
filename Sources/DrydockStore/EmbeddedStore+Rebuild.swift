// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Dispatch
import DrydockModel
import DrydockOS
import GRDB
import Synchronization

extension EmbeddedStore {
    /// Builds that are added in one transaction.
    private static let rebuiltAtOnce = 500

    /// Adds every build to the index that has journals but no row, and returns how many there were.
    ///
    /// Only the ends of journals are read, so that it takes no longer the longer they are; what a build made that stands
    /// further inside is read when somebody asks (`readWholeJournal`). What no journal holds can not come back: paths and
    /// URLs of sources, builds that never started, idempotency keys. A build without `finished` in its newest journal
    /// becomes `errored(lost)`: nobody holds its lease any more.
    @discardableResult
    package func rebuildIndex() async throws -> Int {
        let count = try await Blocking.run {
            try FileLock.holding(self.directory.garbageLock) { () throws(StoreError) in
                try self.rebuildIndexNow()
            }
        }
        if count > 0 { bells.ring(.changes) }
        return count
    }

    /// Whether a rebuild is to be done, or to be gone on with.
    func isRebuilding() throws(StoreError) -> Bool {
        try database.readNow { try Bool.fetchOne($0, sql: "SELECT rebuilding FROM counter") ?? true }
    }

    /// Whoever calls it holds the garbage lock.
    @discardableResult
    func rebuildIndexNow() throws(StoreError) -> Int {
        let known = try database.readNow { try String.fetchSet($0, sql: "SELECT id FROM builds") }
        let folders = try DataDirectory.folders(in: directory.segments) { damage.report(.stray($0)) }
        var missing = folders.filter { !known.contains($0) }[...]
        var count = 0
        if missing.isEmpty, try !isRebuilding() { return 0 }
        repeat {
            let found = try RebuiltBuild.read(missing.prefix(Self.rebuiltAtOnce), in: directory)
            missing = missing.dropFirst(Self.rebuiltAtOnce)
            let isLast = missing.isEmpty
            try database.writeNow { db in
                for build in found { try build.insert(db) }
                if isLast { try db.run("UPDATE counter SET rebuilding = 0") }
            }
            count += found.count
        } while !missing.isEmpty
        return count
    }

    /// Completes what is known of a build's artifacts where only the ends of its journal were read.
    func readWholeJournal(of build: BuildID) async throws {
        let attempt = try await database.read { db -> AttemptID? in
            guard try BuildRows.reading(of: build, db) == .ends else { return nil }
            return try BuildRows.require(build, db).attempt
        }
        guard let attempt else { return }
        let path = directory.segment(build, attempt)
        let fold = try await Blocking.run { () throws(StoreError) in try SegmentFold(path) }
        try await database.write { db in
            guard try BuildRows.reading(of: build, db) == .ends else { return }
            let end = fold.end(at: .init(milliseconds: 0))
            let succeeded = try BuildRows.require(build, db).state == .succeeded
            // A journal that was whole when the row was made, and is not any more, proves nothing: what is known stays.
            let isLess = !fold.isThere || fold.reading == .damaged || (succeeded && end == nil)
            if isLess {
                try DeployRows.add(end?.artifacts ?? [], end?.preview, of: build, db)
            } else {
                try DeployRows.replace(end?.artifacts ?? [], end?.preview, of: build, db)
            }
            try BuildRows.setReading(isLess ? .damaged : fold.reading, of: build, db)
        }
    }
}

/// A build as its journals tell it.
private struct RebuiltBuild: Sendable {
    let id: BuildID
    /// Nil when no journal says any more what it was.
    let queued: Queued?
    /// Oldest first; at least one.
    let folds: [(attempt: AttemptID, fold: SegmentFold)]

    /// The builds of these names, read on all processors at once; folders without a journal are left out.
    static func read(
        _ names: ArraySlice<String>,
        in directory: DataDirectory
    ) throws(StoreError) -> [RebuiltBuild] {
        let names = Array(names)
        let results = Mutex([Result<RebuiltBuild?, StoreError>?](repeating: nil, count: names.count))
        DispatchQueue.concurrentPerform(iterations: names.count) { index in
            let result: Result<RebuiltBuild?, StoreError>
            do throws(StoreError) {
                result = .success(try RebuiltBuild(BuildID(rawValue: names[index]), in: directory))
            } catch {
                result = .failure(error)
            }
            results.withLock { $0[index] = result }
        }
        var found: [RebuiltBuild] = []
        for result in results.withLock({ $0 }) { if let build = try result?.get() { found.append(build) } }
        return found
    }

    /// Nil when there is no journal in the build's folder.
    init?(_ id: BuildID, in directory: DataDirectory) throws(StoreError) {
        var folds: [(AttemptID, SegmentFold)] = []
        for attempt in try directory.attemptsWithJournals(of: id) {
            folds.append((attempt, try SegmentFold(endsOf: directory.segment(id, attempt))))
        }
        guard !folds.isEmpty else { return nil }
        self.id = id
        queued = folds.lazy.compactMap(\.1.queued).first
        self.folds = folds
    }

    func insert(_ db: Database) throws {
        guard let newest = folds.last, try BuildRows.find(id, db) == nil else { return }
        let createdAt = queued?.createdAt ?? newest.fold.firstAt ?? Timestamp(milliseconds: 0)
        var build = Build(
            id: id,
            request: request,
            state: .running,
            attempt: newest.attempt,
            attempts: folds.count,
            createdAt: createdAt,
            startedAt: newest.fold.firstAt
        )
        let at = newest.fold.lastAt ?? createdAt
        let end = newest.fold.end(at: at) ?? BuildEnd(by: .rebuild, outcome: Outcome(lost), at: at)
        try BuildRows.insert(&build, db)
        try end.apply(to: &build, db, fromAnyState: true)
        // Without its beginning, what it was made from is not known.
        try BuildRows.setReading(queued == nil ? .damaged : newest.fold.reading, of: id, db)
        for (index, entry) in folds.enumerated() {
            try db.run(
                """
                INSERT OR IGNORE INTO attempts (id, build, session, number, worker, started_at, counted)
                VALUES (?, ?, ?, ?, ?, ?, 0)
                """,
                [
                    entry.attempt.rawValue, id.rawValue, request.session.rawValue, index + 1, "",
                    (entry.fold.firstAt ?? createdAt).milliseconds,
                ]
            )
        }
    }

    private var lost: Failure {
        guard queued == nil else {
            return Failure(.lost, .platform, "the database was rebuilt while this build was under way")
        }
        return Failure(
            .internal,
            .platform,
            "the database was rebuilt, and no journal of this build says what it was",
            hint: "its journal may be readable in parts: look at its log"
        )
    }

    /// A stand-in where no journal says it, so that the build is shown and what it refers to is not taken for nobody's.
    private var request: BuildRequest {
        guard let queued else {
            return BuildRequest(
                session: SessionID(rawValue: ""),
                project: ProjectName(rawValue: ""),
                source: .path(""),
                trigger: .api,
                title: "(damaged)"
            )
        }
        return BuildRequest(
            session: queued.session,
            project: queued.project,
            source: queued.archive.map(Source.archive) ?? .path(""),
            directory: queued.directory,
            parameters: queued.parameters,
            trigger: queued.trigger,
            title: queued.title
        )
    }
}
