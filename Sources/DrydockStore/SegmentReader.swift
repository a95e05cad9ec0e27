// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Synchronization
import SystemPackage

/// Reads one attempt's segment in order, and waits at its end for as long as somebody may append.
///
/// It ends behind `finished`, or, when the attempt lost its lease without one, behind the last whole record once the store
/// says that the build ended, waits again or has a newer attempt.
final class SegmentReader: JournalReader {
    private struct State {
        var file: SegmentFile?
        var offset: Int64 = 0
        /// The last record that was returned or passed over.
        var seq: UInt64?
        var sawFinished = false
        var askedStore = false
    }

    private let path: FilePath
    private let build: BuildID
    private let attempt: AttemptID
    private let after: UInt64
    private let following: Following
    private let database: StoreDatabase
    private let state = Mutex(State())

    init(
        _ path: FilePath,
        _ build: BuildID,
        _ attempt: AttemptID,
        after: UInt64,
        _ following: Following,
        _ database: StoreDatabase
    ) {
        self.path = path
        self.build = build
        self.attempt = attempt
        self.after = after
        self.following = following
        self.database = database
    }

    /// One task at a time; throws `CancellationError` when its task is cancelled.
    func next(maxBytes: Int) async throws -> [JournalLine]? {
        while true {
            try Task.checkCancellation()
            // The moment comes first: what happens after it ends the wait below.
            let moment = following.moment()
            let lines = try available(maxBytes: maxBytes)
            if !lines.isEmpty { return lines }
            if moment.isOver || state.withLock({ $0.sawFinished }) { return nil }
            if state.withLock({ $0.askedStore }) {
                await following.wait(after: moment)
            } else {
                // Once: the attempt may have been over before this reader came. Later the bells tell.
                let change = try await database.read { [build] in try BuildChange.of(build, $0) }
                state.withLock { $0.askedStore = true }
                if change.isOver(attempt) { following.end() }
            }
        }
    }

    func available(maxBytes: Int) throws -> [JournalLine] {
        try state.withLock { state throws(StoreError) in
            guard !state.sawFinished, let file = try opened(&state) else { return [] }
            var lines: [JournalLine] = []
            // Records up to the cursor are passed over, a chunk at a time; usually there are none after the search.
            while try read(file, maxBytes: maxBytes, &state, into: &lines), lines.isEmpty {}
            return lines
        }
    }

    private func opened(_ state: inout State) throws(StoreError) -> SegmentFile? {
        if let file = state.file { return file }
        guard let file = try SegmentFile.reading(path) else { return nil }
        state.offset = try SegmentSearch(file: file).start(after: after)
        state.file = file
        return file
    }

    /// Reads a chunk of whole lines.
    ///
    /// False when there is none.
    private func read(
        _ file: SegmentFile,
        maxBytes: Int,
        _ state: inout State,
        into lines: inout [JournalLine]
    ) throws(StoreError) -> Bool {
        var chunk = try file.read(from: state.offset, count: min(max(maxBytes, 4 << 10), 1 << 20))
        while !chunk.contains(0x0A) {
            // One record that is longer than the chunk, or the unfinished tail.
            let longer = try file.read(from: state.offset, count: max(chunk.count * 2, 64 << 10))
            if longer.count <= chunk.count { return false }
            chunk = longer
        }
        var start = 0
        var size = 0
        var last = chunk[..<0]
        while let end = chunk[start...].firstIndex(of: 0x0A) {
            let line = chunk[start..<end]
            guard let seq = JournalCodec.seq(of: line), seq > 0,
                state.seq.map({ seq - 1 == $0 }) ?? (seq - 1 <= after)
            else { throw .journalDamaged(build, attempt, after: state.seq ?? after) }
            if seq > after {
                if !lines.isEmpty, size + line.count > maxBytes { break }
                lines.append(JournalLine(seq: seq, bytes: Array(line)))
                size += line.count
            }
            state.seq = seq
            last = line
            state.offset += Int64(end + 1 - start)
            start = end + 1
        }
        // Also when it was passed over: a cursor at the very end has nothing to wait for.
        state.sawFinished = JournalCodec.head(of: last)?.kind == EventKind.finished.rawValue
        return true
    }
}

/// Finds a place in a segment by sequence number: lines are in order, so halving does it.
struct SegmentSearch {
    let file: SegmentFile

    private static let chunk = 64 << 10

    /// The start of a line at or before the record that follows `seq`, and not far before it.
    func start(after seq: UInt64) throws(StoreError) -> Int64 {
        guard seq > 0 else { return 0 }
        var low: Int64 = 0
        var high = try file.size()
        while high - low > Self.chunk {
            let middle = low + (high - low) / 2
            if let line = try nextLine(after: middle, before: high), line.seq <= seq {
                low = line.start
            } else {
                high = middle
            }
        }
        return low
    }

    /// The first line that starts behind `offset`; nil when none is near.
    private func nextLine(
        after offset: Int64,
        before end: Int64
    ) throws(StoreError) -> (start: Int64, seq: UInt64)? {
        let bytes = try file.read(from: offset, count: Self.chunk)
        guard let feed = bytes.firstIndex(of: 0x0A), offset + Int64(feed) + 1 < end,
            let seq = JournalCodec.seq(of: bytes[(feed + 1)...])
        else { return nil }
        return (offset + Int64(feed) + 1, seq)
    }
}
