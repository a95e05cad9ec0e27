// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS

/// The journals of a build that has ended as one gzip member, made of the blocks as they are stored.
///
/// Source: RFC 1952; RFC 1951, 3.2.3 (blocks that are not the last one may follow each other).
package struct GzipJournal: Sendable {
    /// Where to go on; the beginning.
    package struct Place: Sendable {
        fileprivate var file = 0
        fileprivate var block = 0
        fileprivate var hasBegun = false
        fileprivate var hasEnded = false

        package init() {}
    }

    /// No name, no time, the fastest level, Unix.
    private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 3]
    /// A last block, empty (fixed codes, and the code that ends it).
    private static let lastBlock: [UInt8] = [3, 0]
    private static let piece = 128 << 10

    private let files: [SegmentFile]
    private let trailer: [UInt8]
    /// Bytes of the whole.
    package let size: Int

    /// Nil where a journal is not sealed, or damaged: then it can only be told record by record.
    init?(_ files: [SegmentFile]) throws(StoreError) {
        var check: UInt32 = 0
        var plain: Int64 = 0
        var size = Self.header.count + Self.lastBlock.count + 8
        for file in files {
            guard let index = file.index, let footer = index.footer, try file.isStoredWhole() else {
                return nil
            }
            check = CRC32.combine(check, footer.check, length: footer.size)
            plain += footer.size
            size += index.blocks.reduce(0) { $0 + $1.stored }
        }
        var trailer = Self.lastBlock
        trailer.append(littleEndian: check)
        trailer.append(littleEndian: UInt32(truncatingIfNeeded: plain))
        self.files = files
        self.trailer = trailer
        self.size = size
    }

    /// The next piece; nil at the end.
    package func next(_ place: inout Place) async throws -> [UInt8]? {
        guard !place.hasEnded else { return nil }
        let from = place
        let (bytes, to) = try await Blocking.run { () throws(StoreError) in
            var to = from
            let bytes = try read(&to)
            return (bytes, to)
        }
        place = to
        return bytes
    }

    private func read(_ place: inout Place) throws(StoreError) -> [UInt8] {
        var bytes = place.hasBegun ? [] : Self.header
        place.hasBegun = true
        while place.file < files.count {
            guard let blocks = files[place.file].index?.blocks, place.block < blocks.count else {
                place.file += 1
                place.block = 0
                continue
            }
            bytes += try files[place.file].stored(blocks[place.block])
            place.block += 1
            if bytes.count >= Self.piece { return bytes }
        }
        place.hasEnded = true
        return bytes + trailer
    }
}
