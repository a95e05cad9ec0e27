// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Which of many patterns a line matches, in one pass over it.
///
/// A deterministic automaton whose states are made when a line first needs them. Ordinary output needs few; a line that
/// is made to need many costs a step of the nondeterministic one for each byte, and memory is bounded: then the states are forgotten.
struct PatternScanner: Sendable {
    private struct State {
        /// Instructions that take a byte, or wait for the end of the line, ascending.
        var positions: [Int32]
        /// Patterns that match once this state is reached.
        var matches: [Int]
        /// Patterns that match if the line ends here.
        var matchesAtEnd: [Int]
    }

    private static let mostStates = 1_000
    private static let never = UInt32.max
    /// Marks moves to states with matches.
    private static let matching: Int32 = 1 << 30

    private let program: PatternProgram
    /// The class of each byte: bytes that no set of the program tells apart are one.
    private let classes: [UInt8]
    /// One byte of each class.
    private let samples: [UInt8]
    private var states: [State] = []
    private var indices: [[Int32]: Int32] = [:]
    /// The state behind each state by each class, -1 = not made yet.
    private var moves: [Int32] = []
    /// The last line that reached each state with matches; `never` for the others.
    private var reached: [UInt32] = []
    /// The line that is read, from 1.
    private var round: UInt32 = 0
    private var first: Int32 = 0
    /// Where patterns begin when the line has begun already.
    private let restart: [Int32]
    private var mark = Marks()

    /// Numbers of patterns: their places in the program.
    init(_ program: PatternProgram) {
        self.program = program
        (classes, samples) = Self.classes(of: program.sets)
        var mark = Marks(program.instructions.count)
        restart =
            Self.closure(program.starts.map(Int32.init), program, atBegin: false, atEnd: false, &mark)
            .positions
        self.mark = mark
        reset()
    }

    /// Appends the numbers of the patterns that match `line` to `found`, each once, ascending.
    mutating func scan(_ line: UnsafeRawBufferPointer, _ found: inout [Int]) {
        found.removeAll(keepingCapacity: true)
        beginRound()
        var state = first
        note(state, &found)
        var index = 0
        while index < line.count {
            (state, index) = run(from: state, line, index)
            if index < line.count {
                state = move(state, by: line[index])
                index += 1
            }
            note(state, &found)
        }
        found += states[Int(state)].matchesAtEnd
        if found.count > 1 { Self.sortUnique(&found) }
    }

    private mutating func beginRound() {
        round += 1
        guard round == Self.never else { return }
        for state in reached.indices where reached[state] != Self.never { reached[state] = 0 }
        round = 1
    }

    /// Takes in the matches of a state, once a line: behind `error: .+` every byte reaches the same one again.
    private mutating func note(_ state: Int32, _ found: inout [Int]) {
        let last = reached[Int(state)]
        guard last != Self.never, last != round else { return }
        reached[Int(state)] = round
        found += states[Int(state)].matches
    }

    /// Goes as far as known states lead, and stops before a byte that reaches one with matches to take in, or one that is not known.
    private func run(
        from start: Int32,
        _ line: UnsafeRawBufferPointer,
        _ begin: Int
    ) -> (state: Int32, index: Int) {
        let width = samples.count
        return classes.withUnsafeBufferPointer { classes in
            moves.withUnsafeBufferPointer { moves in
                reached.withUnsafeBufferPointer { reached in
                    var state = start
                    var index = begin
                    while index < line.count {
                        let next = moves[Int(state) &* width &+ Int(classes[Int(line[index])])]
                        // One comparison for what is not known and for what has matches.
                        if UInt32(bitPattern: next) >= UInt32(Self.matching) {
                            // The byte that reaches a match is the caller's: it takes the same step again.
                            guard next >= 0, reached[Int(next & ~Self.matching)] == round else {
                                return (state, index)
                            }
                        }
                        state = next & ~Self.matching
                        index &+= 1
                    }
                    return (state, index)
                }
            }
        }
    }

    private mutating func move(_ state: Int32, by byte: UInt8) -> Int32 {
        let slot = Int(state) * samples.count + Int(classes[Int(byte)])
        if moves[slot] >= 0 { return moves[slot] & ~Self.matching }
        var positions: [Int32] = []
        for position in states[Int(state)].positions {
            if case .take(let set) = program.instructions[Int(position)], program.sets[set].contains(byte) {
                positions.append(position + 1)
            }
        }
        let isFull = states.count >= Self.mostStates
        if isFull { reset() }
        let next = intern(positions, atBegin: false)
        if !isFull { moves[slot] = reached[Int(next)] == Self.never ? next : next | Self.matching }
        return next
    }

    private mutating func reset() {
        states.removeAll(keepingCapacity: true)
        indices.removeAll(keepingCapacity: true)
        moves.removeAll(keepingCapacity: true)
        reached.removeAll(keepingCapacity: true)
        first = intern(program.starts.map(Int32.init), atBegin: true)
    }

    /// The state that is at `positions`, and at every pattern's beginning.
    private mutating func intern(_ positions: [Int32], atBegin: Bool) -> Int32 {
        var reached = Self.closure(positions, program, atBegin: atBegin, atEnd: false, &mark)
        if !atBegin { reached.positions = Self.merged(reached.positions, restart) }
        // Before its first byte a line is in a state of its own: there `^` holds.
        let key = atBegin ? [-1] : reached.positions + [-2] + reached.matches.map(Int32.init)
        if let known = indices[key] { return known }
        let ending = Self.closure(reached.positions, program, atBegin: atBegin, atEnd: true, &mark).matches
        let number = Int32(states.count)
        states.append(State(positions: reached.positions, matches: reached.matches, matchesAtEnd: ending))
        indices[key] = number
        moves += repeatElement(-1, count: samples.count)
        self.reached.append(reached.matches.isEmpty ? Self.never : 0)
        return number
    }

    /// What is reached from `positions` without taking a byte.
    private static func closure(
        _ positions: [Int32],
        _ program: PatternProgram,
        atBegin: Bool,
        atEnd: Bool,
        _ mark: inout Marks
    ) -> (positions: [Int32], matches: [Int]) {
        var stack = positions
        var waiting: [Int32] = []
        var matches: [Int] = []
        mark.clear()
        while let position = stack.popLast() {
            guard mark.insert(Int(position)) else { continue }
            switch program.instructions[Int(position)] {
            case .take: waiting.append(position)
            case .split(let one, let other):
                stack.append(Int32(one))
                stack.append(Int32(other))
            case .jump(let target): stack.append(Int32(target))
            case .note: stack.append(position + 1)
            case .begin: if atBegin { stack.append(position + 1) }
            case .end: if atEnd { stack.append(position + 1) } else { waiting.append(position) }
            case .match(let pattern): matches.append(pattern)
            }
        }
        return (waiting.sorted(), matches)
    }

    private static func merged(_ one: [Int32], _ other: [Int32]) -> [Int32] {
        var both: [Int32] = []
        both.reserveCapacity(one.count + other.count)
        var (i, j) = (0, 0)
        while i < one.count || j < other.count {
            if j == other.count || (i < one.count && one[i] < other[j]) {
                both.append(one[i])
                i += 1
            } else {
                if i < one.count, one[i] == other[j] { i += 1 }
                both.append(other[j])
                j += 1
            }
        }
        return both
    }

    private static func sortUnique(_ numbers: inout [Int]) {
        numbers.sort()
        var kept = 1
        for index in 1..<numbers.count where numbers[index] != numbers[kept - 1] {
            numbers[kept] = numbers[index]
            kept += 1
        }
        numbers.removeSubrange(kept...)
    }

    private static func classes(of sets: [ByteSet]) -> (classes: [UInt8], samples: [UInt8]) {
        var known: [[Bool]: UInt8] = [:]
        var classes: [UInt8] = []
        var samples: [UInt8] = []
        for byte in UInt8.min...UInt8.max {
            let membership = sets.map { $0.contains(byte) }
            if known[membership] == nil {
                known[membership] = UInt8(samples.count)
                samples.append(byte)
            }
            classes.append(known[membership] ?? 0)
        }
        return (classes, samples)
    }
}

/// Which instructions a walk has seen; forgetting them costs nothing.
struct Marks: Sendable {
    private var rounds: [UInt32]
    private var round: UInt32 = 1

    init(_ count: Int = 0) { rounds = [UInt32](repeating: 0, count: count) }

    mutating func clear() {
        round &+= 1
        guard round == 0 else { return }
        for index in rounds.indices { rounds[index] = 0 }
        round = 1
    }

    /// False when it was there.
    mutating func insert(_ index: Int) -> Bool {
        guard rounds[index] != round else { return false }
        rounds[index] = round
        return true
    }
}
