// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// Finds a place in a segment: by sequence number (lines are in order, so halving does it), or near the end.
struct SegmentSearch {
    let file: SegmentFile

    private static let chunk = 64 << 10

    /// The start of a line at or before the record that follows `seq`, and not far before it.
    func start(after seq: UInt64) throws(StoreError) -> Int64 {
        guard seq > 0 else { return 0 }
        if let index = file.index { return index.block(of: seq + 1).map { index.blocks[$0].offset } ?? 0 }
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

    /// The start of a line with at most `bytes` bytes from there to the end, or of the last line when that is longer.
    func start(ofLast bytes: Int) throws(StoreError) -> Int64 {
        let size = try file.size()
        guard size > Int64(bytes) else { return 0 }
        // A line that begins exactly there counts: the line feed before it is looked for.
        var offset = size - Int64(bytes) - 1
        while true {
            let piece = try file.read(from: offset, count: Self.chunk)
            let start = piece.firstIndex(of: 0x0A).map { offset + Int64($0) + 1 }
            if let start, start < size { return start }
            if piece.isEmpty || start != nil { return try SegmentTail.endOfLine(before: size - 1, file) }
            offset += Int64(piece.count)
        }
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
