// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// The end of a segment as a writer finds it, after a crash perhaps.
struct SegmentTail {
    /// Where the last good record ends.
    private(set) var size: Int64
    /// Bytes behind it that are no record.
    private(set) var torn: Int64
    /// The last good record's head; nil when there is none.
    private(set) var last: RecordHead?

    /// Looks from the end backwards for the last whole line that is a record.
    init(_ file: SegmentFile) throws(StoreError) {
        let whole = try file.size()
        size = whole
        torn = 0
        last = nil
        var end = try Self.endOfLine(before: whole, file)
        while end > 0 {
            let start = try Self.endOfLine(before: end - 1, file)
            let line = try file.read(from: start, count: Int(end - 1 - start))
            if let head = JournalCodec.head(of: line), Self.isRecord(line) {
                last = head
                break
            }
            end = start
        }
        size = end
        torn = whole - end
    }

    private static func isRecord(_ line: [UInt8]) -> Bool {
        do {
            _ = try JournalCodec.decode(line)  // nil, a newer version's record, is one too
            return true
        } catch {
            return false
        }
    }

    /// The offset behind the last line feed before `offset`; 0 when there is none.
    static func endOfLine(before offset: Int64, _ file: SegmentFile) throws(StoreError) -> Int64 {
        var end = offset
        while end > 0 {
            let start = max(0, end - (64 << 10))
            let bytes = try file.read(from: start, count: Int(end - start))
            if let index = bytes.lastIndex(of: 0x0A) { return start + Int64(index) + 1 }
            end = start
        }
        return 0
    }
}
