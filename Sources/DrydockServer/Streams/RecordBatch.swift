// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DequeModule
import DrydockModel

/// Records of one attempt that follow each other, encoded once for every viewer.
struct RecordBatch: Sendable {
    let attempt: AttemptID
    /// Number of the first record, and of the last.
    let first: UInt64
    let last: UInt64
    let frame: SharedFrame

    /// Its first record.
    var start: Cursor { Cursor(attempt: attempt, seq: first) }
    /// Where a viewer is who has seen it.
    var end: Cursor { Cursor(attempt: attempt, seq: last) }
}

/// The newest batches of a build, as many as fit: who is no further behind is told from here, others from the journal.
///
/// Batches are numbered as they come; the places between them are the only ones at which a viewer can go over from the
/// journal to here.
struct RecentBatches: Sendable {
    /// Bytes of frames that are kept.
    static let room = 256 << 10

    private var batches: Deque<RecordBatch> = []
    private var bytes = 0
    /// The number of the oldest that is kept.
    private var firstNumber = 0
    /// Where a viewer is who has seen all before the oldest; nil = before the build's first record.
    private var origin: Cursor?

    /// Nothing yet; `origin` is what was read before.
    init(after origin: Cursor?) { self.origin = origin }

    /// The number that the next batch will have.
    var nextNumber: Int { firstNumber + batches.count }

    /// Where a viewer is who has seen everything.
    var end: Cursor? { batches.last?.end ?? origin }

    mutating func append(_ batch: RecordBatch) {
        batches.append(batch)
        bytes += batch.frame.size
        // One always stays, however long: whoever keeps up is told from here.
        while bytes > Self.room, batches.count > 1, let oldest = batches.popFirst() {
            bytes -= oldest.frame.size
            firstNumber += 1
            origin = oldest.end
        }
    }

    /// The batches from `number` on, at most `count`; nil when that one is not kept any more.
    func from(_ number: Int, count: Int) -> ArraySlice<RecordBatch>? {
        guard number >= firstNumber else { return nil }
        let start = min(number - firstNumber, batches.count)
        return ArraySlice(batches[start..<min(start + count, batches.count)])
    }

    /// The number of the batch that follows directly on `cursor`; nil when none here does.
    ///
    /// A viewer that is further than all this, as one may be whose build's reading waits, is at its end.
    func number(after cursor: Cursor?, in order: AttemptOrder) -> Int? {
        if cursor == origin { return firstNumber }
        guard let cursor else { return nil }
        guard let end, !order.isBefore(cursor, end) else {
            return end == nil
                ? nextNumber : batches.lastIndex { $0.end == cursor }.map { firstNumber + $0 + 1 }
        }
        return nextNumber
    }

    /// The last place between two batches that lies in `range` of an attempt's numbers.
    func boundary(in attempt: AttemptID, _ range: ClosedRange<UInt64>) -> UInt64? {
        let ends = batches.lazy.map(\.end) + [origin].compactMap(\.self)
        return ends.filter { $0.attempt == attempt && range.contains($0.seq) }.map(\.seq).max()
    }

    /// Lets everything go: what follows is told from the journal.
    mutating func clear() {
        origin = end
        firstNumber = nextNumber
        batches = []
        bytes = 0
    }
}

/// The attempts of a build in their order, which their ids need not tell: those begin with the time on the wall.
struct AttemptOrder: Sendable {
    private let attempts: [AttemptID]

    init(_ attempts: [AttemptID] = []) { self.attempts = attempts }

    /// Whether `left` is the earlier place; one in an attempt that is not known yet is later than all others.
    func isBefore(_ left: Cursor, _ right: Cursor) -> Bool {
        if left.attempt == right.attempt { return left.seq < right.seq }
        return number(of: left.attempt) < number(of: right.attempt)
    }

    private func number(of attempt: AttemptID) -> Int { attempts.firstIndex(of: attempt) ?? attempts.count }
}
