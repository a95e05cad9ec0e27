// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore

/// Says whether a cursor that came from outside is a place in a build's journal.
struct JournalPlaces: Sendable {
    enum Finding: Hashable, Sendable {
        case known
        case noSuchAttempt
        /// The attempt has only so many records.
        case beyond(last: UInt64)
    }

    /// Bytes from the end in which the last record is looked for.
    private static let tail = 64 << 10

    let store: any Store

    func find(_ cursor: Cursor, in build: BuildID) async throws -> Finding {
        guard try await store.attempts(build).contains(cursor.attempt) else { return .noSuchAttempt }
        let last = try await lastRecord(build, cursor.attempt)
        if cursor.seq <= last { return .known }
        // The record that ends a journal is held back from a reader that has not asked for the build's end.
        let isOver = try await isOver(cursor.attempt, of: build)
        return cursor.seq == last + 1 && isOver ? .known : .beyond(last: last)
    }

    private func isOver(_ attempt: AttemptID, of build: BuildID) async throws -> Bool {
        try await store.build(build)?.isOver(attempt) ?? true
    }

    /// The number of the newest record that is there; 0 when there is none.
    private func lastRecord(_ build: BuildID, _ attempt: AttemptID) async throws -> UInt64 {
        var last: UInt64 = 0
        let reader = try await store.reader(build, attempt, from: .tail(bytes: Self.tail))
        while case let lines = try await reader.available(maxBytes: 1 << 20), let newest = lines.last {
            last = newest.seq
        }
        return last
    }
}
