// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Where the groups of one pattern are in a line.
///
/// Tries the preferred way first and comes back to the others, and never twice to one instruction at one byte: linear in
/// the line, whatever the pattern. What led nowhere once leads nowhere from another beginning either.
///
/// Source: R. Cox, "Regular Expression Matching in the Wild" (bit-state).
struct PatternMatch: Sendable {
    private let bounds: [Int32]

    /// nil when the pattern does not match.
    init?(_ program: PatternProgram, pattern: Int, groups: Int, _ line: UnsafeRawBufferPointer) {
        let entry = program.entries[pattern]
        let visits = entry.instructions.count * (line.count + 1)
        var bounds = [Int32](repeating: -1, count: 2 * groups + 2)
        let isMatch = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: (visits + 63) >> 6) { seen in
            seen.initialize(repeating: 0)
            return program.instructions.withUnsafeBufferPointer { instructions in
                program.members.withUnsafeBufferPointer { members in
                    bounds.withUnsafeMutableBufferPointer { bounds in
                        var search = Search(
                            instructions: instructions,
                            members: members,
                            line: line,
                            start: entry.instructions.lowerBound,
                            seen: seen,
                            bounds: bounds
                        )
                        return search.run(entry)
                    }
                }
            }
        }
        guard isMatch else { return nil }
        self.bounds = bounds
    }

    /// The bytes of a group; nil where it took no part.
    func range(_ group: Int) -> Range<Int>? {
        let (begin, end) = (Int(bounds[2 * group]), Int(bounds[2 * group + 1]))
        return begin >= 0 && end >= begin ? begin..<end : nil
    }
}

/// One search, on memory that its caller lends it.
private struct Search {
    /// What is still to be tried, or a note to be taken back on the way to it.
    ///
    /// `slot` < 0: go on from the instruction `position` at byte `value`. Else the slot gets its `value` back.
    private struct Pending {
        var position: Int32
        var slot: Int32
        var value: Int32
    }

    let instructions: UnsafeBufferPointer<PatternProgram.Instruction>
    /// Four words for each set: a bit for each byte.
    let members: UnsafeBufferPointer<UInt64>
    let line: UnsafeRawBufferPointer
    let start: Int
    /// A bit for each instruction at each byte, which those that split and join ways set.
    let seen: UnsafeMutableBufferPointer<UInt64>
    let bounds: UnsafeMutableBufferPointer<Int32>
    private var pending: [Pending] = []

    init(
        instructions: UnsafeBufferPointer<PatternProgram.Instruction>,
        members: UnsafeBufferPointer<UInt64>,
        line: UnsafeRawBufferPointer,
        start: Int,
        seen: UnsafeMutableBufferPointer<UInt64>,
        bounds: UnsafeMutableBufferPointer<Int32>
    ) {
        (self.instructions, self.members, self.line) = (instructions, members, line)
        (self.start, self.seen, self.bounds) = (start, seen, bounds)
    }

    mutating func run(_ entry: PatternProgram.Entry) -> Bool {
        pending.reserveCapacity(64)
        for index in 0...(entry.isAtBegin ? 0 : line.count) {
            if let first = entry.first, index == line.count || !first.contains(line[index]) { continue }
            if isMatch(from: index) {
                bounds[0] = Int32(index)
                return true
            }
        }
        return false
    }

    private mutating func isMatch(from first: Int) -> Bool {
        pending.append(Pending(position: Int32(start), slot: -1, value: Int32(first)))
        while let next = pending.popLast() {
            if next.slot >= 0 {
                bounds[Int(next.slot)] = next.value
            } else if goes(from: Int(next.position), at: Int(next.value)) {
                return true
            }
        }
        return false
    }

    /// Follows the preferred way, and leaves the others pending.
    private mutating func goes(from first: Int, at begin: Int) -> Bool {
        let end = line.count
        var (position, index) = (first, begin)
        while true {
            switch instructions[position] {
            case .take(let set):
                guard index < end, contains(set, line[index]) else { return false }
                index &+= 1
                position &+= 1
            case .split(let preferred, let other):
                guard isNew(position, at: index) else { return false }
                pending.append(
                    Pending(
                        position: Int32(truncatingIfNeeded: other),
                        slot: -1,
                        value: Int32(truncatingIfNeeded: index)
                    )
                )
                position = preferred
            case .jump(let target):
                position = target
                // A split asks for itself.
                if case .split = instructions[target] { continue }
                guard isNew(target, at: index) else { return false }
            case .note(let slot):
                pending.append(
                    Pending(position: 0, slot: Int32(truncatingIfNeeded: slot), value: bounds[slot])
                )
                bounds[slot] = Int32(truncatingIfNeeded: index)
                position &+= 1
            case .begin:
                guard index == 0 else { return false }
                position &+= 1
            case .end:
                guard index == end else { return false }
                position &+= 1
            case .match:
                bounds[1] = Int32(index)
                return true
            }
        }
    }

    /// Where ways part and where they come together: what is between is walked once from there, or twice.
    private func isNew(_ position: Int, at index: Int) -> Bool {
        let bit = (position &- start) &* (line.count &+ 1) &+ index
        let flag = 1 as UInt64 &<< UInt64(bit & 63)
        guard seen[bit &>> 6] & flag == 0 else { return false }
        seen[bit &>> 6] |= flag
        return true
    }

    private func contains(_ set: Int, _ byte: UInt8) -> Bool {
        members[set &* 4 &+ Int(byte &>> 6)] & (1 &<< UInt64(byte & 63)) != 0
    }
}
