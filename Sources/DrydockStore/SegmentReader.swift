// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import Glibc
import Synchronization
import SystemPackage

/// Reads one attempt's segment in order, and waits at its end for as long as somebody may append.
///
/// It ends behind `finished`, which it holds back until the store has the build's end too, so that whoever hears of the
/// end finds it there; or, when the attempt ended without one, behind the last whole record once the store says that the
/// build ended, waits again or has a newer attempt. Records that are damaged or gone are told as a `gap` in their place.
final class SegmentReader: JournalReader {
    private struct State {
        var file: SegmentFile?
        var offset: Int64 = 0
        /// The last record that was returned or passed over.
        var seq: UInt64?
        /// `finished`, read but not told yet.
        var held: JournalLine?
        /// What stands for an end that is missing, not told yet.
        var missing: JournalLine?
        /// Everything there will ever be was told.
        var isAtEnd = false
        /// How things stood before the last look: what happened since then ends the next wait.
        var moment: Switchboard.Moment?
        var askedStore = false
        /// Inside something that is too long for a record.
        var isSkipping = false
        /// The last look came to the end of the file.
        var isCaughtUp = false
    }

    /// Bytes; nothing that is appended comes near it.
    private static let longestRecord = 8 << 20

    private let path: FilePath
    private let build: BuildID
    private let attempt: AttemptID
    private let start: JournalStart
    private let following: Following
    private let database: StoreDatabase
    private let damage: DamageLog
    private let state = Mutex(State())

    init(
        _ path: FilePath,
        _ build: BuildID,
        _ attempt: AttemptID,
        from start: JournalStart,
        _ following: Following,
        _ database: StoreDatabase,
        _ damage: DamageLog
    ) {
        self.path = path
        self.build = build
        self.attempt = attempt
        self.start = start
        self.following = following
        self.database = database
        self.damage = damage
    }

    /// One task at a time.
    func more() async throws -> Bool {
        try Task.checkCancellation()
        let (moment, isAtEnd, asked) = state.withLock { ($0.moment, $0.isAtEnd, $0.askedStore) }
        guard !isAtEnd else { return false }
        guard let moment else { return true }
        if moment.isOver { return try await missesItsEnd() }
        if asked {
            await following.wait(after: moment)
        } else {
            // Once: the attempt may have been over before this reader came. Later the bells tell.
            let change = try await database.read { [build] in try BuildChange.of(build, $0) }
            state.withLock { $0.askedStore = true }
            if change.isOver(attempt) { following.end() }
        }
        return true
    }

    func available(maxBytes: Int) async throws -> [JournalLine] {
        // What was appended just now is in memory, and read at once; what may have to come from the disk is waited for
        // elsewhere.
        if state.withLock({ $0.isCaughtUp }) { return try look(maxBytes: maxBytes) }
        return try await Blocking.run { () throws(StoreError) in try self.look(maxBytes: maxBytes) }
    }

    private func look(maxBytes: Int) throws(StoreError) -> [JournalLine] {
        // It comes first: what happens after it is seen by this look, or ends the wait that follows.
        let moment = following.moment()
        let isOver = moment.isOver
        return try state.withLock { state throws(StoreError) in
            state.moment = moment
            if let line = state.missing.take() { return [line] }
            guard !state.isAtEnd, let file = try opened(&state) else { return [] }
            var lines: [JournalLine] = []
            // Records up to the cursor are passed over, a chunk at a time; usually there are none after the search.
            while state.held == nil, try read(file, maxBytes: maxBytes, &state, into: &lines),
                lines.isEmpty
            {}
            if isOver, let last = state.held.take() {
                lines.append(last)
                state.isAtEnd = true
            }
            return lines
        }
    }

    private func opened(_ state: inout State) throws(StoreError) -> SegmentFile? {
        if let file = state.file { return file }
        guard let file = try SegmentFile.reading(path) else { return nil }
        let search = SegmentSearch(file: file)
        switch start {
        case .after(let seq): state.offset = try search.start(after: seq)
        case .tail(let bytes): state.offset = try search.start(ofLast: bytes)
        }
        state.file = file
        return file
    }

    /// Records up to here are not asked for.
    private var cursor: UInt64 {
        if case .after(let seq) = start { seq } else { 0 }
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
        if state.isSkipping, try !skip(file, &state) { return false }
        let asked = min(max(maxBytes, 4 << 10), 1 << 20)
        var chunk = try file.read(from: state.offset, count: asked)
        state.isCaughtUp = chunk.count < asked
        while !chunk.contains(0x0A) {
            if chunk.count >= Self.longestRecord {
                damage.report(.record(build, attempt, after: state.seq ?? cursor))
                state.isSkipping = true
                return true
            }
            // One record that is longer than the chunk, or the unfinished tail.
            let longer = try file.read(from: state.offset, count: max(chunk.count * 2, 64 << 10))
            if longer.count <= chunk.count { return false }
            chunk = longer
        }
        var start = 0
        var size = 0
        while state.held == nil, let end = Self.end(ofLineAt: start, in: chunk) {
            let line = chunk[start..<end]
            let seq = Self.seq(of: line).flatMap {
                isPlausible($0, before: chunk[(end + 1)...], state) ? $0 : nil
            }
            let isLast = seq != nil && JournalCodec.isFinished(line)
            if let seq, seq > cursor, seq > state.seq ?? 0 {
                if !lines.isEmpty, size + line.count > maxBytes { break }
                if let gap = gap(before: seq, state) { lines.append(gap) }
                let record = JournalLine(seq: seq, bytes: Array(line))
                if isLast {
                    state.held = record
                } else {
                    lines.append(record)
                }
                size += line.count
            } else if seq == nil {
                damage.report(.record(build, attempt, after: state.seq ?? cursor))
            }
            // Also when it was passed over: a cursor at the very end has nothing to wait for.
            if let seq, seq <= cursor, isLast { state.isAtEnd = true }
            if let seq { state.seq = max(seq, state.seq ?? 0) }
            state.offset += Int64(end + 1 - start)
            start = end + 1
        }
        return true
    }

    /// Where the line that begins at `start` is ended; nil where it is not.
    private static func end(ofLineAt start: Int, in chunk: [UInt8]) -> Int? {
        chunk.withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, 0x0A, bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// The number of a line that can be passed on; nil for what is no record, or no longer.
    ///
    /// A record has no NUL and ends as an object does: what a disk loses comes back as zeros or as the half of a line.
    private static func seq(of line: ArraySlice<UInt8>) -> UInt64? {
        let hasNUL = line.withUnsafeBytes { bytes in
            bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
        }
        guard line.last == UInt8(ascii: "}"), !hasNUL,
            let seq = JournalCodec.seq(of: line), seq > 0
        else { return nil }
        return seq
    }

    /// Whether a number may be the next: one that jumps ahead may itself be what is damaged, and would take all that
    /// follows with it, unless the line behind it goes on from there.
    private func isPlausible(_ seq: UInt64, before rest: ArraySlice<UInt8>, _ state: State) -> Bool {
        guard let last = state.seq, seq > last + 1, let end = rest.firstIndex(of: 0x0A),
            let next = Self.seq(of: rest[..<end])
        else { return true }
        return next == seq + 1
    }

    /// Passes over bytes that are no line, a piece at a time, and none of them twice; false when there is no end of them yet.
    private func skip(_ file: SegmentFile, _ state: inout State) throws(StoreError) -> Bool {
        while case let piece = try file.read(from: state.offset, count: 1 << 20), !piece.isEmpty {
            if let feed = piece.firstIndex(of: 0x0A) {
                state.offset += Int64(feed) + 1
                state.isSkipping = false
                return true
            }
            state.offset += Int64(piece.count)
        }
        return false
    }

    // MARK: What is missing

    /// A record that stands for those between the last one and `seq`; nil when none is missing.
    private func gap(before seq: UInt64, _ state: State) -> JournalLine? {
        let last: UInt64
        switch (state.seq, start) {
        case (let seen?, _): last = max(seen, cursor)
        case (nil, .after(let cursor)): last = cursor
        case (nil, .tail): return nil
        }
        guard seq > last + 1 else { return nil }
        damage.report(.record(build, attempt, after: last))
        return gapLine(seq: seq - 1, lines: Int(clamping: seq - 1 - last), "damaged on the server's disk")
    }

    /// Whether there is something to tell of an end that did not come, now that nobody appends any more.
    ///
    /// A worker that was lost leaves no end behind, and the store says who ended the build in its place; where the end is
    /// the worker's own, the journal had one too.
    private func missesItsEnd() async throws -> Bool {
        let (row, author) = try await database.read { [build] db in
            (try BuildRows.find(build, db), try BuildRows.author(ofEnd: build, db))
        }
        return state.withLock { state in
            guard !state.isAtEnd else { return false }
            state.isAtEnd = true
            // Of a sealed journal whose last blocks are damaged the index knows how far it went.
            let end = state.file?.index?.blocks.last?.lastSeq ?? 0
            let last = max(state.seq ?? 0, end > cursor ? cursor : 0)
            guard let row, row.attempt == attempt, row.state.isTerminal, author?.hadJournalEnd == true,
                last >= cursor
            else { return false }
            damage.report(.record(build, attempt, after: last))
            let missing = max(last + 1, end)
            state.missing = gapLine(
                seq: missing,
                lines: Int(clamping: missing - last),
                "the rest of the journal is gone from the server's disk"
            )
            return true
        }
    }

    private func gapLine(seq: UInt64, lines: Int, _ reason: String) -> JournalLine {
        let record = JournalRecord(
            seq: seq,
            at: damage.now(),
            build: build,
            attempt: attempt,
            via: .host,
            step: nil,
            event: .gap(Gap(reason: reason, lines: lines, bytes: ByteCount(0)))
        )
        var bytes: [UInt8] = []
        JournalCodec.encode(record, into: &bytes)
        return JournalLine(seq: seq, bytes: bytes)
    }
}
