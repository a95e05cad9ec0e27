// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockTestSupport

/// A generator that gives the same numbers for the same seed (SplitMix64), so that a failing input can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Makes records of every kind with awkward content.
struct RandomRecords {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func record(_ kind: EventKind) -> JournalRecord {
        JournalRecord(
            seq: UInt64.random(in: 1...UInt64.max, using: &generator),
            at: moment(),
            build: BuildID(rawValue: "b_0123456789abcdef"),
            attempt: AttemptID(rawValue: "a_0123456789abcdef"),
            via: Via.allCases[Int.random(in: 0..<Via.allCases.count, using: &generator)],
            step: maybe { $0.name() },
            event: event(kind)
        )
    }

    // MARK: Small values

    mutating func text() -> String {
        let pieces = [
            "", "a", "plain words", "\"", "\\", "\n", "\r\n", "\t", "\u{0}", "\u{1B}[31m", "\u{7F}", "ä", "€",
            "\u{2028}",
            "\u{2029}", "\u{2027}", "🇩🇪", "e\u{301}", "\u{FFFD}", "\u{10FFFF}", "</script>", "{\"seq\":1}",
            "\\u0000",
            "12345678", String(repeating: "x", count: 70),
        ]
        let count = Int.random(in: 0...6, using: &generator)
        return (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
    }

    /// A step's or a plugin's name.
    mutating func name<Name: CheckedName>() -> Name {
        let names = ["a", "make", "a-1", "s" + String(repeating: "-9", count: 19)]
        return Name(unchecked: names[Int.random(in: 0..<names.count, using: &generator)])
    }

    mutating func path() -> RelativePath {
        let paths: [RelativePath] = [".", "site", "a b/ä", "dist/**/*.whl", "\n", "…/\"", "-"]
        return paths[Int.random(in: 0..<paths.count, using: &generator)]
    }

    mutating func maybe<Value>(_ make: (inout RandomRecords) -> Value) -> Value? {
        Bool.random(using: &generator) ? make(&self) : nil
    }

    mutating func texts() -> [String] { (0..<Int.random(in: 0...3, using: &generator)).map { _ in text() } }

    mutating func moment() -> Timestamp {
        Timestamp(milliseconds: Int64.random(in: -1_000_000...4_000_000_000_000, using: &generator))
    }

    mutating func duration() -> Duration { .milliseconds(Int64.random(in: 0...1 << 40, using: &generator)) }

    mutating func integer() -> Int { Int.random(in: 0...Int(Int32.max), using: &generator) }

    mutating func size() -> ByteCount { ByteCount(Int64.random(in: 0...Int64.max, using: &generator)) }

    mutating func number() -> Double {
        let choices: [Double] = [0, 1, 0.1, 1e-7, 1e300, 12_345.678, 9e15]
        return choices[Int.random(in: 0..<choices.count, using: &generator)]
    }

    mutating func bool() -> Bool { Bool.random(using: &generator) }

    mutating func pick<Value: CaseIterable>(_ type: Value.Type = Value.self) -> Value {
        // Never empty: the enums of the model all have cases.
        type.allCases.randomElement(using: &generator).unsafelyUnwrapped
    }

    mutating func failure() -> Failure {
        Failure(
            pick(),
            pick(),
            text(),
            hint: maybe { $0.text() },
            file: maybe { $0.text() },
            line: maybe { $0.integer() }
        )
    }

    mutating func json(depth: Int = 0) -> JSON {
        switch Int.random(in: 0..<(depth > 2 ? 4 : 6), using: &generator) {
        case 0: .null
        case 1: .bool(bool())
        case 2: .number(number())
        case 3: .string(text())
        case 4: .array((0..<3).map { _ in json(depth: depth + 1) })
        default: .object(["": json(depth: depth + 1), "\"k\\": json(depth: depth + 1)])
        }
    }
}
