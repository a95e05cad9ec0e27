// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Where the groups of one pattern are in a line.
///
/// Runs all ways of matching side by side (Pike's machine), the preferred ones first: linear in the line, whatever the pattern.
struct PatternMatch: Sendable {
    private let bounds: [Int]

    /// nil when the pattern does not match.
    init?(_ program: PatternProgram, pattern: Int, groups: Int, _ line: UnsafeRawBufferPointer) {
        var machine = Machine(program, slots: 2 * groups + 2, end: line.count)
        guard let bounds = machine.run(from: program.starts[pattern], line) else { return nil }
        self.bounds = bounds
    }

    /// The bytes of a group; nil where it took no part.
    func range(_ group: Int) -> Range<Int>? {
        let (begin, end) = (bounds[2 * group], bounds[2 * group + 1])
        return begin >= 0 && end >= begin ? begin..<end : nil
    }
}

private struct Machine {
    private struct Way {
        var position: Int
        var bounds: [Int]
    }

    private let program: PatternProgram
    private let slots: Int
    private let end: Int
    private var mark: Marks

    init(_ program: PatternProgram, slots: Int, end: Int) {
        self.program = program
        self.slots = slots
        self.end = end
        mark = Marks(program.instructions.count)
    }

    mutating func run(from start: Int, _ line: UnsafeRawBufferPointer) -> [Int]? {
        var ways: [Way] = []
        var next: [Way] = []
        var best: [Int]?
        mark.clear()
        for index in 0...end {
            // What begins later is preferred less, and of no interest once something matched.
            if best == nil {
                var bounds = [Int](repeating: -1, count: slots)
                bounds[0] = index
                add(Way(position: start, bounds: bounds), at: index, to: &ways)
            }
            if ways.isEmpty, best != nil { break }
            mark.clear()
            next.removeAll(keepingCapacity: true)
            step: for way in ways {
                switch program.instructions[way.position] {
                case .match:
                    best = way.bounds
                    best?[1] = index
                    break step
                case .take(let set) where index < end && program.sets[set].contains(line[index]):
                    add(Way(position: way.position + 1, bounds: way.bounds), at: index + 1, to: &next)
                default: break
                }
            }
            swap(&ways, &next)
        }
        return best
    }

    /// Adds what is reached from `way` without taking a byte, preferred ways first.
    private mutating func add(_ way: Way, at index: Int, to ways: inout [Way]) {
        var stack = [way]
        while var way = stack.popLast() {
            guard mark.insert(way.position) else { continue }
            switch program.instructions[way.position] {
            case .take, .match: ways.append(way)
            case .split(let preferred, let other):
                stack.append(Way(position: other, bounds: way.bounds))
                way.position = preferred
                stack.append(way)
            case .jump(let target):
                way.position = target
                stack.append(way)
            case .note(let slot):
                way.bounds[slot] = index
                way.position += 1
                stack.append(way)
            case .begin where index == 0, .end where index == end:
                way.position += 1
                stack.append(way)
            case .begin, .end: break
            }
        }
    }
}
