// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Several patterns as one nondeterministic automaton over bytes (Thompson's construction).
///
/// Source: R. Cox, "Regular Expression Matching: the Virtual Machine Approach".
struct PatternProgram: Sendable {
    enum Instruction: Hashable, Sendable {
        /// Takes one byte of the set and goes on with the next instruction.
        case take(set: Int)
        /// Goes on with both; the first is preferred.
        case split(Int, Int)
        case jump(Int)
        /// Notes the position: 2n = where group n begins, 2n + 1 = where it ends; group 0 is the whole.
        case note(slot: Int)
        case begin
        case end
        /// The pattern of this number matches.
        case match(pattern: Int)
    }

    /// One pattern of the program.
    struct Entry: Sendable {
        var instructions: Range<Int>
        /// It can match at the line's beginning only.
        var isAtBegin: Bool
        /// The bytes that a match can begin with; nil where it may also begin with none.
        var first: ByteSet?
    }

    private static let largestPattern = 1_024

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [ByteSet] = []
    /// The same sets, four words each, for the loop that asks them most.
    private(set) var members: [UInt64] = []
    private(set) var entries: [Entry] = []
    private var setIndices: [ByteSet: Int] = [:]

    init(_ patterns: [LinePattern]) {
        for (number, pattern) in patterns.enumerated() {
            let start = instructions.count
            emit(pattern.syntax)
            instructions.append(.match(pattern: number))
            entries.append(entry(start..<instructions.count))
        }
    }

    /// Where each pattern begins.
    var starts: [Int] { entries.map(\.instructions.lowerBound) }

    /// Walks to every instruction that is reached without taking a byte, once past `^` and once without.
    private func entry(_ range: Range<Int>) -> Entry {
        var entry = Entry(instructions: range, isAtBegin: true, first: ByteSet())
        for holds in [false, true] {
            var seen: Set<Int> = []
            var waiting = [range.lowerBound]
            while let position = waiting.popLast() {
                guard seen.insert(position).inserted else { continue }
                switch instructions[position] {
                case .take(let set):
                    entry.first = entry.first?.union(sets[set])
                    if !holds { entry.isAtBegin = false }
                case .match, .end:
                    entry.first = nil
                    if !holds { entry.isAtBegin = false }
                case .split(let one, let other): waiting += [one, other]
                case .jump(let target): waiting.append(target)
                case .note: waiting.append(position + 1)
                case .begin: if holds { waiting.append(position + 1) }
                }
            }
        }
        return entry
    }

    /// How many instructions the pattern takes.
    static func size(of syntax: PatternSyntax) -> Int {
        switch syntax {
        case .set, .begin, .end: 1
        case .sequence(let parts): parts.reduce(0) { min($0 + size(of: $1), largestPattern + 1) }
        case .choice(let parts): parts.reduce(0) { min($0 + size(of: $1) + 2, largestPattern + 1) }
        case .group(let inner, _): min(size(of: inner) + 2, largestPattern + 1)
        case .repeated(let inner, let least, let most, _):
            min((size(of: inner) + 2) * max(1, most ?? (least + 1)), largestPattern + 1)
        }
    }

    static func fits(_ syntax: PatternSyntax) -> Bool { size(of: syntax) <= largestPattern }

    private mutating func emit(_ syntax: PatternSyntax) {
        switch syntax {
        case .set(let set):
            let index = setIndices[set] ?? sets.count
            if index == sets.count {
                sets.append(set)
                members += set.words
                setIndices[set] = index
            }
            instructions.append(.take(set: index))
        case .sequence(let parts): for part in parts { emit(part) }
        case .choice(let parts): emit(choice: parts[...])
        case .group(let inner, let index):
            if let index { instructions.append(.note(slot: 2 * index)) }
            emit(inner)
            if let index { instructions.append(.note(slot: 2 * index + 1)) }
        case .repeated(let inner, let least, let most, let isLazy):
            emit(inner, least: least, most: most, isLazy: isLazy)
        case .begin: instructions.append(.begin)
        case .end: instructions.append(.end)
        }
    }

    private mutating func emit(choice parts: ArraySlice<PatternSyntax>) {
        guard let first = parts.first else { return }
        guard parts.count > 1 else { return emit(first) }
        let split = instructions.count
        instructions.append(.jump(0))
        emit(first)
        let leave = instructions.count
        instructions.append(.jump(0))
        instructions[split] = .split(split + 1, instructions.count)
        emit(choice: parts.dropFirst())
        instructions[leave] = .jump(instructions.count)
    }

    private mutating func emit(_ inner: PatternSyntax, least: Int, most: Int?, isLazy: Bool) {
        for _ in 0..<least { emit(inner) }
        func split(into: Int, past: Int) -> Instruction { isLazy ? .split(past, into) : .split(into, past) }
        guard let most else {
            let loop = instructions.count
            instructions.append(.jump(0))
            emit(inner)
            instructions.append(.jump(loop))
            instructions[loop] = split(into: loop + 1, past: instructions.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<max(least, most) {
            splits.append(instructions.count)
            instructions.append(.jump(0))
            emit(inner)
        }
        for index in splits { instructions[index] = split(into: index + 1, past: instructions.count) }
    }
}

/// One regular expression for lines.
struct LinePattern: Hashable, Sendable {
    /// As it was written.
    let text: String
    /// Groups that it captures.
    let groups: Int
    let syntax: PatternSyntax

    init(_ text: String) throws(PatternProblem) {
        var parser = PatternParser(text)
        syntax = try parser.parse()
        groups = parser.groups
        self.text = text
        guard PatternProgram.fits(syntax) else {
            throw PatternProblem("is too large when its repeats are written out")
        }
    }
}
