// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// The lines of a sealed journal, by their places in the plain one.
final class SealedContent: Sendable {
    let index: SealedIndex
    /// Who reads on asks for the same block again, or the next.
    private let last = Mutex<(number: Int, lines: [UInt8])?>(nil)

    init(_ index: SealedIndex) { self.index = index }

    /// At most `count` bytes from `offset` of the plain journal; fewer only at its end.
    ///
    /// A line that is no record stands in the place of a block that is damaged.
    func read(
        from offset: Int64,
        count: Int,
        _ read: SealedIndex.Read<StoreError>
    ) throws(StoreError) -> [UInt8] {
        guard count > 0, var number = index.block(at: offset) else { return [] }
        var result: [UInt8] = []
        result.reserveCapacity(min(count, Int(index.size - offset)))
        var start = Int(offset - index.blocks[number].offset)
        while result.count < count, number < index.blocks.count {
            let lines = try lines(ofBlock: number, read)
            result += lines[start..<min(lines.count, start + count - result.count)]
            start = 0
            number += 1
        }
        return result
    }

    private func lines(
        ofBlock number: Int,
        _ read: SealedIndex.Read<StoreError>
    ) throws(StoreError) -> [UInt8] {
        if let last = last.withLock({ $0 }), last.number == number { return last.lines }
        let block = index.blocks[number]
        let lines = block.lines(of: try read(block.position, block.stored)) ?? block.damage
        last.withLock { $0 = (number, lines) }
        return lines
    }

    /// Whether every block is as it was written, deflated and plain.
    func isWhole(_ read: SealedIndex.Read<StoreError>) throws(StoreError) -> Bool {
        guard index.footer != nil else { return false }
        for block in index.blocks where block.lines(of: try read(block.position, block.stored)) == nil {
            return false
        }
        return true
    }
}
