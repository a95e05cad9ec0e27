// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// Where everything stands in a sealed journal.
///
/// The file: eight bytes of magic, each block behind its head, all heads again, and a footer of 64 bytes. Numbers are
/// little-endian (`docs/events.md`).
struct SealedIndex: Sendable {
    /// What is known of the whole.
    struct Footer: Hashable, Sendable {
        static let size = 64

        var blocks: Int
        /// Where the heads begin.
        var position: Int64
        var records: UInt64
        /// How many lines the log has.
        var lines: UInt64
        /// Bytes of the plain journal, and their CRC-32.
        var size: Int64
        var check: UInt32
    }

    /// The last byte is the version.
    static let magic = Array("DRYJRNL1".utf8)
    /// Where the first head stands.
    static let start = Int64(magic.count)
    /// More than any journal has; what asks for more is damaged.
    private static let most = 1 << 20

    let blocks: [SealedBlock]
    /// Nil where it, or the index, is damaged: the blocks are then those that their own heads tell of.
    let footer: Footer?

    /// Bytes of the plain journal.
    var size: Int64 { blocks.last?.end ?? 0 }

    /// The number of the block in which the plain journal's byte `offset` is; nil beyond the end.
    func block(at offset: Int64) -> Int? {
        guard offset >= 0, offset < size else { return nil }
        return last { $0.offset <= offset }
    }

    /// The number of the block in which the record `seq` is, or of the last one.
    func block(of seq: UInt64) -> Int? { last { $0.seq <= seq } }

    /// The number of the block in which the log's line `line` is, or of the last one.
    func block(ofLine line: UInt64) -> Int? { last { $0.line <= line } }

    /// By halving; the condition holds for none behind one for which it does not.
    private func last(where isBefore: (SealedBlock) -> Bool) -> Int? {
        var (low, high) = (0, blocks.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(blocks[middle]) { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }
}

// MARK: Reading

extension SealedIndex {
    /// Reads at an offset as many bytes, or fewer at the end of the file.
    typealias Read<Problem: Error> = (Int64, Int) throws(Problem) -> [UInt8]

    /// Reads the index of a file of `size` bytes; where it is damaged, the heads of the blocks, as far as they are whole.
    init<Problem>(ofFileWith size: Int64, _ read: Read<Problem>) throws(Problem) {
        let footerAt = size - Int64(Footer.size)
        if footerAt >= Self.start, let footer = Footer(try read(footerAt, Footer.size)),
            footer.blocks <= Self.most,
            footer.position + Int64(footer.blocks * SealedBlock.headSize) == footerAt,
            let blocks = try Self.listed(footer, read), footer.fits(blocks)
        {
            self.blocks = blocks
            self.footer = footer
        } else {
            blocks = try Self.walked(size, read)
            footer = nil
        }
    }

    private static func listed<Problem>(
        _ footer: Footer,
        _ read: Read<Problem>
    ) throws(Problem) -> [SealedBlock]? {
        let heads = try read(footer.position, footer.blocks * SealedBlock.headSize)
        guard heads.count == footer.blocks * SealedBlock.headSize else { return nil }
        var blocks: [SealedBlock] = []
        blocks.reserveCapacity(footer.blocks)
        for number in 0..<footer.blocks {
            let head = Array(heads[(number * SealedBlock.headSize)...].prefix(SealedBlock.headSize))
            guard let block = SealedBlock(head: head, behind: blocks.last) else { return nil }
            blocks.append(block)
        }
        return blocks
    }

    private static func walked<Problem>(
        _ size: Int64,
        _ read: Read<Problem>
    ) throws(Problem) -> [SealedBlock] {
        var blocks: [SealedBlock] = []
        while blocks.count < most {
            let head = try read(blocks.last?.storedEnd ?? start, SealedBlock.headSize)
            guard let block = SealedBlock(head: head, behind: blocks.last), block.storedEnd <= size else {
                break
            }
            blocks.append(block)
        }
        return blocks
    }
}

// MARK: Writing

extension SealedIndex {
    /// What stands behind the last block.
    static func end(_ blocks: [SealedBlock], lines: UInt64) -> [UInt8] {
        var end: [UInt8] = []
        for block in blocks { end += block.head }
        let check = blocks.reduce(UInt32(0)) { CRC32.combine($0, $1.plainCheck, length: Int64($1.count)) }
        let footer = Footer(
            blocks: blocks.count,
            position: blocks.last?.storedEnd ?? start,
            records: blocks.last?.lastSeq ?? 0,
            lines: lines,
            size: blocks.last?.end ?? 0,
            check: check
        )
        return end + footer.bytes
    }
}

extension SealedIndex.Footer {
    fileprivate var bytes: [UInt8] {
        var bytes = SealedIndex.magic
        for number in [UInt64(blocks), UInt64(position), records, lines, UInt64(size)] {
            bytes.append(littleEndian: number)
        }
        for number in [check, 0, 0] { bytes.append(littleEndian: number) }
        bytes.append(littleEndian: CRC32.of(bytes[...]))
        return bytes
    }

    fileprivate init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, Array(bytes[..<8]) == SealedIndex.magic,
            bytes.number(at: 60) == CRC32.of(bytes[..<60]),
            let blocks = Int(exactly: bytes.number(at: 8) as UInt64), blocks <= 1 << 40,
            let position = Int64(exactly: bytes.number(at: 16) as UInt64), position < Int64.max / 2,
            let size = Int64(exactly: bytes.number(at: 40) as UInt64)
        else { return nil }
        self.blocks = blocks
        self.position = position
        self.size = size
        records = bytes.number(at: 24)
        lines = bytes.number(at: 32)
        check = bytes.number(at: 48)
    }

    fileprivate func fits(_ blocks: [SealedBlock]) -> Bool {
        guard let last = blocks.last else { return false }
        let before = last.line - 1
        return position == last.storedEnd && size == last.end && records == last.lastSeq && lines >= before
            && lines - before <= UInt64(last.records)
    }
}
