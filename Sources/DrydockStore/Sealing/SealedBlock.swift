// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// Whole lines of a sealed journal, deflated by themselves.
///
/// Its head stands before it in the file, and again in the index at the end: either of them is enough.
struct SealedBlock: Hashable, Sendable {
    /// Bytes of a head.
    static let headSize = 64
    /// What no block is longer than, plain or deflated: it is one line of a journal, or 64 KiB.
    static let longest = 16 << 20
    private static let magic: UInt32 = 0x314B_4C42  // BLK1

    /// Where the deflated bytes begin in the file.
    var position: Int64
    /// How many they are.
    var stored: Int
    /// Where the lines begin in the plain journal.
    var offset: Int64
    /// How many bytes they have there.
    var count: Int
    /// The number of the first record.
    var seq: UInt64
    var records: Int
    /// The number that the first line of the log has which stands here or behind, from 1.
    var line: UInt64
    /// CRC-32 of the lines, and of what they were deflated to.
    var plainCheck: UInt32
    var storedCheck: UInt32

    /// The number of the last record.
    var lastSeq: UInt64 { seq + UInt64(records) - 1 }
    /// Where the plain journal goes on.
    var end: Int64 { offset + Int64(count) }
    /// Where the file goes on.
    var storedEnd: Int64 { position + Int64(stored) }

    var head: [UInt8] {
        var head: [UInt8] = []
        for number in [Self.magic, UInt32(stored), UInt32(count), UInt32(records)] {
            head.append(littleEndian: number)
        }
        for number in [seq, line, UInt64(offset), UInt64(position)] { head.append(littleEndian: number) }
        for number in [plainCheck, storedCheck, 0] { head.append(littleEndian: number) }
        head.append(littleEndian: CRC32.of(head[...]))
        return head
    }

    /// Follows `previous`, nil = nothing; nil where `head` is none, or no block can stand there.
    init?(head: [UInt8], behind previous: SealedBlock?) {
        guard head.count == Self.headSize, head.number(at: 0) == Self.magic,
            head.number(at: 60) == CRC32.of(head[..<60]),
            let offset = Int64(exactly: head.number(at: 32) as UInt64),
            let position = Int64(exactly: head.number(at: 40) as UInt64)
        else { return nil }
        self.position = position
        self.offset = offset
        stored = Int(head.number(at: 4) as UInt32)
        count = Int(head.number(at: 8) as UInt32)
        records = Int(head.number(at: 12) as UInt32)
        seq = head.number(at: 16)
        line = head.number(at: 24)
        plainCheck = head.number(at: 48)
        storedCheck = head.number(at: 52)
        guard isPossible(behind: previous) else { return nil }
    }

    init(
        behind previous: SealedBlock?,
        lines: Lines,
        stored: [UInt8]
    ) {
        position = (previous?.storedEnd ?? SealedIndex.start) + Int64(Self.headSize)
        self.stored = stored.count
        offset = previous?.end ?? 0
        count = lines.bytes.count
        seq = lines.seq
        records = lines.records
        line = lines.line
        plainCheck = CRC32.of(lines.bytes[...])
        storedCheck = CRC32.of(stored[...])
    }

    /// What a block is made of.
    struct Lines {
        var bytes: [UInt8]
        var seq: UInt64
        var records: Int
        var line: UInt64
    }

    private func isPossible(behind previous: SealedBlock?) -> Bool {
        guard (1...Self.longest).contains(stored), (1...Self.longest).contains(count),
            (1...count).contains(records)
        else { return false }
        guard let previous else {
            return position == SealedIndex.start + Int64(Self.headSize) && offset == 0 && seq == 1
                && line == 1
        }
        return position == previous.storedEnd + Int64(Self.headSize) && offset == previous.end
            && seq == previous.lastSeq + 1 && line >= previous.line
            && line - previous.line <= UInt64(previous.records)
    }

    /// The lines; nil where `bytes` are not what was stored.
    func lines(of bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count == stored, var inflater = Inflater(.raw) else { return nil }
        var lines = [UInt8](repeating: 0, count: count)
        var (read, written) = (0, 0)
        while written < count {
            let step = bytes.withUnsafeBytes { input in
                lines.withUnsafeMutableBytes { room in
                    inflater.inflate(
                        UnsafeRawBufferPointer(rebasing: input[read...]),
                        into: UnsafeMutableRawBufferPointer(rebasing: room[written...])
                    )
                }
            }
            guard case .goesOn = step.outcome, step.consumed + step.produced > 0 else { return nil }
            read += step.consumed
            written += step.produced
        }
        return CRC32.of(lines[...]) == plainCheck ? lines : nil
    }

    /// What stands for lines that are lost: one line that is no record, so that the lines behind it are whole.
    var damage: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes[count - 1] = 0x0A
        return bytes
    }
}
