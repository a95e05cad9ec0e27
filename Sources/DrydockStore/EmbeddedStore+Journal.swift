// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import GRDB

extension EmbeddedStore {
    package func journal(_ lease: Lease) async throws -> any JournalWriter {
        try await requireAttempt(lease.build.id, lease.attempt)
        let writer = try await Blocking.run { [directory, options] () throws(StoreError) in
            try SegmentWriter(directory, lease.build.id, lease.attempt, now: options.now)
        }
        writers.withLock { writers in
            writers = writers.filter { $0.value.writer != nil }
            writers[lease.attempt] = WeakSegmentWriter(writer: writer)
        }
        return writer
    }

    /// The file need not exist yet: the reader waits for it.
    package func reader(
        _ build: BuildID,
        _ attempt: AttemptID,
        from start: JournalStart
    ) async throws -> any JournalReader {
        // Before the ids become a path: they come from outside.
        try await requireAttempt(build, attempt)
        return SegmentReader(
            directory.segment(build, attempt),
            build,
            attempt,
            from: start,
            try await bells.follow(build, attempt),
            database,
            damage
        )
    }

    package func gzipJournal(_ build: BuildID) async throws -> GzipJournal? {
        guard try await self.build(build)?.state.isTerminal == true else { return nil }
        let paths = try await attempts(build).map { directory.segment(build, $0) }
        guard !paths.isEmpty else { return nil }
        return try await Blocking.run { () throws(StoreError) in
            var files: [SegmentFile] = []
            for path in paths {
                guard let file = try SegmentFile.reading(path), file.index != nil else { return nil }
                files.append(file)
            }
            return try GzipJournal(files)
        }
    }

    package func logSpan(
        _ build: BuildID,
        _ attempt: AttemptID,
        _ range: LogRange,
        while isWanted: @escaping @Sendable () -> Bool
    ) async throws -> LogSpan {
        try await requireAttempt(build, attempt)
        let path = directory.segment(build, attempt)
        let file = try await Blocking.run { () throws(StoreError) in try SegmentFile.reading(path) }
        guard let file else { return LogSpan() }
        if file.isCounted {
            return try await Blocking.run { () throws(StoreError) in try LogSpan(range, in: file) }
        }
        return try await counting.pass {
            try await Blocking.interruptible { isCancelled throws -> LogSpan in
                func goesOn() -> Bool { !isCancelled() && isWanted() }
                let span = try LogSpan(range, in: file, while: goesOn)
                guard goesOn() else { throw CancellationError() }
                return span
            }
        }
    }

    private func requireAttempt(_ build: BuildID, _ attempt: AttemptID) async throws {
        try await database.read { db in
            _ = try BuildRows.require(build, db)
            let isKnown = try Bool.fetchOne(
                db,
                sql: "SELECT EXISTS (SELECT 1 FROM attempts WHERE id = ? AND build = ?)",
                arguments: [attempt.rawValue, build.rawValue]
            )
            guard isKnown == true else { throw StoreError.noSuchAttempt(build, attempt) }
        }
    }
}
