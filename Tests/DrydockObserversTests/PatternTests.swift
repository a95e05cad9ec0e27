// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockObservers

@Suite("Patterns of lines")
struct PatternTests {
    /// The texts of all groups, the whole first; nil = no match.
    private func groups(_ pattern: String, _ line: String) throws -> [String?]? {
        let pattern = try LinePattern(pattern)
        let program = PatternProgram([pattern])
        var scanner = PatternScanner(program)
        var found: [Int] = []
        let bytes = Array(line.utf8)
        return bytes.withUnsafeBytes { bytes in
            scanner.scan(bytes, &found)
            let match = PatternMatch(program, pattern: 0, groups: pattern.groups, bytes)
            #expect((match != nil) == (found == [0]), "the scanner and the machine disagree")
            guard let match else { return nil }
            return (0...pattern.groups).map { group in
                match.range(group).map { String(decoding: bytes[$0], as: UTF8.self) }
            }
        }
    }

    struct Case: Sendable {
        var pattern: String
        var line: String
        var groups: [String?]?

        init(_ pattern: String, _ line: String, _ groups: [String?]?) {
            (self.pattern, self.line, self.groups) = (pattern, line, groups)
        }
    }

    @Test(
        "captures what a person would say it does",
        arguments: [
            Case("abc", "xxabcxx", ["abc"]),
            Case("^abc", "xabc", nil),
            Case("abc$", "abcx", nil),
            Case("^$", "", [""]),
            Case("a$", "ba", ["a"]),
            Case("^\\[(\\d+)/(\\d+)\\] ", "[12/345] CC x.c", ["[12/345] ", "12", "345"]),
            Case("^(.+?):(\\d+):(\\d+): (error|warning): (.*)$", "src/a:b.c:3:14: error: no", [
                "src/a:b.c:3:14: error: no", "src/a:b.c", "3", "14", "error", "no",
            ]),
            Case("(a|ab)(c|bcd)?", "abcd", ["abcd", "a", "bcd"]),
            Case("(a*)(a*)", "aaa", ["aaa", "aaa", ""]),
            Case("(a*?)(a*)", "aaa", ["aaa", "", "aaa"]),
            Case("(?i)error (x)", "ERROR X", ["ERROR X", "X"]),
            Case("a{2,3}", "aaaa", ["aaa"]),
            Case("a{2}b", "aab", ["aab"]),
            Case("^(?:foo|bar)+$", "foobarfoo", ["foobarfoo"]),
            Case("(x)?y", "y", ["y", nil]),
            Case("[^\\s:]+", "  a-b:c", ["a-b"]),
            Case("[]a-c-]+", "x]b-", ["]b-"]),
            Case("\\.\\(\\)\\{\\}\\|", ".(){}|", [".(){}|"]),
            Case("größe: (.)", "die größe: x", ["größe: x", "x"]),
            Case("(a*)*b", "aaab", ["aaab", ""]),
            Case("json {x}", "json {x}", ["json {x}"]),
        ]
    )
    func captures(example: Case) throws {
        let found = try groups(example.pattern, example.line)
        // Which empty repeat a group of a repeat holds is nobody's business.
        if example.pattern == "(a*)*b" { return #expect(found?[0] == "aaab") }
        #expect(found == example.groups)
    }

    @Test(
        "what can not be matched in linear time, or is not known, is refused with a reason",
        arguments: [
            ("(a)\\1", "not known"), ("a(?=b)", "(?:"), ("(?<n>a)", "(?:"), ("\\bword", "not known"), ("a**", "repetition"),
            ("*a", "repeats nothing"), ("(a", "without ')'"), ("a)", "without '('"), ("[a", "without ']'"),
            ("a{65}", "at most 64"), ("a\\", "backslash"), ("[z-a]", "ends before"), ("[ä]", "only ASCII"),
            ("((((a{64}){64}){64}){64})", "too large"), (String(repeating: "(", count: 40), "nests"),
            (String(repeating: "a", count: 1_001), "longer"),
        ]
    )
    func refused(pattern: String, reason: String) {
        let problem = #expect(throws: PatternProblem.self) { try LinePattern(pattern) }
        #expect(problem?.reason.contains(reason) == true, "\(problem?.reason ?? "")")
    }

    @Test("many patterns are told apart in one pass, and forgotten states come back")
    func many() throws {
        let patterns = try (0..<200).map { try LinePattern("^w\($0)( .*)?$") } + [try LinePattern("x.{30}y")]
        var scanner = PatternScanner(PatternProgram(patterns))
        var found: [Int] = []
        var numbers = SystemRandomNumberGenerator()
        for round in 0..<2_000 {
            // Random x's make a state for every set of places: far more than are kept.
            let noise = (0..<60).map { _ in Bool.random(using: &numbers) ? "x" : "z" }.joined()
            Array(noise.utf8).withUnsafeBytes { scanner.scan($0, &found) }
            let number = round % 200
            Array("w\(number) and more".utf8).withUnsafeBytes { scanner.scan($0, &found) }
            #expect(found == [number])
        }
        Array("x\(String(repeating: "z", count: 30))y".utf8).withUnsafeBytes { scanner.scan($0, &found) }
        #expect(found == [200])
    }

    /// Against the machine that has no states to confuse, with random patterns and lines.
    @Test("the scanner finds what the machine finds")
    func agreement() throws {
        var numbers = SystemRandomNumberGenerator()
        let atoms = ["a", "b", ".", "[ab]", "[^a]", "a*", "b+", "(a|b)", "(?:ab)?", "a{1,3}", "\\d", "^", "$", "(b*?)"]
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 1...5, using: &numbers)).map { _ in atoms.randomElement(using: &numbers) ?? "a" }.joined()
            guard let pattern = try? LinePattern(text) else { continue }
            let line = (0..<Int.random(in: 0...8, using: &numbers)).map { _ in ["a", "b", "1"].randomElement(using: &numbers) ?? "a" }
                .joined()
            _ = try groups(pattern.text, line)
        }
    }
}
