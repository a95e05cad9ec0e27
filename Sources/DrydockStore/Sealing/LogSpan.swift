// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol

/// Which lines of an attempt's log are asked for.
package enum LogRange: Hashable, Sendable {
    /// By their numbers, from 1; nil = to the end.
    case lines(UInt64, through: UInt64?)
    /// The newest ones.
    case last(UInt64)
}

/// The records of a journal in which a range of the log's lines is.
package struct LogSpan: Hashable, Sendable {
    /// The number of the first record; nil when there are no such lines.
    package var first: UInt64?
    /// The number of the last record; nil = to the end.
    package var last: UInt64?
    /// How many lines the log has; nil where that is not known without a look at all of them.
    package var lines: UInt64?
    /// The newest line's record that was there, where the range goes to one that was not.
    package var newest: UInt64?
}

extension LogSpan {
    /// Finds `range` in `file`: by the index of a sealed journal, else by counting, for as long as `goesOn` says so; what was
    /// given up is worth nothing.
    init(
        _ range: LogRange,
        in file: SegmentFile,
        while goesOn: () -> Bool = { true }
    ) throws(StoreError) {
        self.init()
        switch (range, file.index) {
        case (.last(let count), let index?) where index.footer != nil:
            let lines = index.footer?.lines ?? 0
            self = try LogSpan(.lines(lines - min(lines, count) + 1, through: nil), in: file)
        case (.last(let count), _):
            first = try Self.start(ofLast: count, in: file, while: goesOn)
        case (.lines(let from, let through), let index?) where index.footer != nil:
            let all = index.footer?.lines ?? 0
            lines = all
            guard from <= all else { return }
            first = try Self.record(ofLine: from, file, index, isFirst: true)
            if let through, through < all {
                last = try Self.record(ofLine: through, file, index, isFirst: false)
            }
        case (.lines(let from, let through), _):
            var number: UInt64 = 0
            var newest: UInt64?
            try LogLines.each(in: file, from: 0, while: goesOn) { seq in
                number += 1
                newest = seq
                if number == from { first = seq }
                if number == through { last = seq }
                return number < through ?? from
            }
            if through != nil { self.newest = newest }
        }
    }

    /// Where its block is damaged: the end of that which the range is to begin or end with.
    private static func record(
        ofLine line: UInt64,
        _ file: SegmentFile,
        _ index: SealedIndex,
        isFirst: Bool
    ) throws(StoreError) -> UInt64? {
        guard let number = index.block(ofLine: line) else { return nil }
        let block = index.blocks[number]
        var next = block.line
        var found: UInt64?
        try LogLines.each(in: file, from: block.offset, to: block.end) { seq in
            if next == line { found = seq }
            next += 1
            return found == nil
        }
        return found ?? (isFirst ? block.seq : block.lastSeq)
    }

    private static func start(
        ofLast count: UInt64,
        in file: SegmentFile,
        while goesOn: () -> Bool
    ) throws(StoreError) -> UInt64? {
        guard count > 0 else { return nil }
        let size = try file.size()
        var bytes = 64 << 10
        while goesOn() {
            let start = Int64(bytes) >= size ? 0 : try SegmentSearch(file: file).start(ofLast: bytes)
            var newest: [UInt64] = []
            try LogLines.each(in: file, from: start, while: goesOn) { seq in
                newest.append(seq)
                return true
            }
            if UInt64(newest.count) >= count { return newest[newest.count - Int(count)] }
            if start == 0 { return newest.first }
            bytes *= 4
        }
        return nil
    }
}

/// The log's lines in a journal, by the numbers of their records.
enum LogLines {
    private static let chunk = 256 << 10
    private static let longest = 16 << 20

    /// Tells of each line from `offset`, where a line begins, up to `end`, for as long as `body` returns true, and `goesOn`, which
    /// is asked less often.
    static func each(
        in file: SegmentFile,
        from offset: Int64,
        to end: Int64 = .max,
        while goesOn: () -> Bool = { true },
        _ body: (UInt64) -> Bool
    ) throws(StoreError) {
        var offset = offset
        var asked = chunk
        while offset < end, goesOn() {
            let bytes = try file.read(from: offset, count: Int(min(Int64(asked), end - offset)))
            guard let feed = bytes.lastIndex(of: 0x0A) else {
                // The torn end, or a line that is longer.
                guard bytes.count == asked, asked < longest else { return }
                asked *= 4
                continue
            }
            for line in bytes[..<feed].split(separator: 0x0A) {
                if JournalCodec.isLog(line), let seq = JournalCodec.seq(of: line), !body(seq) { return }
            }
            offset += Int64(feed) + 1
            asked = chunk
        }
    }
}
