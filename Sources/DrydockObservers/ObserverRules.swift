// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The rules of some observers as one set of patterns, and what each pattern of it is for.
struct ObserverRules: Sendable {
    /// What a pattern that matches says.
    enum Use: Hashable, Sendable {
        case progress(Int)
        /// The first line of a diagnostic, or the only one.
        case opening(rule: Int)
        case line(rule: Int, index: Int)
        case begin(rule: Int)
        case frame(rule: Int)
        case end(rule: Int)
        case json(rule: Int)
        case directory(Int)
        case runs(Int)

        /// Whether it matters only where something is open already.
        var isContinuation: Bool {
            switch self {
            case .line, .frame, .end: true
            case .progress, .opening, .begin, .json, .directory, .runs: false
            }
        }
    }

    private(set) var progress: [ProgressRule] = []
    private(set) var diagnostics: [DiagnosticRule] = []
    private(set) var directories: [DirectoryRule] = []
    private(set) var runs: [RunsRule] = []
    /// From here on a diagnostic counts only with a place in the source: rules for everybody's output.
    private(set) var firstUnnamed = 0
    /// Whether lines of JSON are read.
    private(set) var hasJSON = false
    /// Beside the patterns of `program`, by their numbers.
    private(set) var uses: [Use] = []
    private(set) var patterns: [LinePattern] = []
    private(set) var program = PatternProgram([])

    /// The rules of `named`, and the diagnostics of `everybody`.
    init(_ named: [Observer], everybody: [Observer]) {
        for observer in named {
            progress += observer.progress
            diagnostics += observer.diagnostics
            directories += observer.directories
            runs += observer.runs
        }
        firstUnnamed = diagnostics.count
        let names = Set(named.map(\.name))
        for observer in everybody where !names.contains(observer.name) { diagnostics += observer.diagnostics }
        for (number, rule) in progress.enumerated() { add(rule.pattern, .progress(number)) }
        for (number, rule) in diagnostics.enumerated() { add(rule, number) }
        for (number, rule) in directories.enumerated() { add(rule.pattern, .directory(number)) }
        for (number, rule) in runs.enumerated() { add(rule.pattern, .runs(number)) }
        program = PatternProgram(patterns)
    }

    private mutating func add(_ pattern: LinePattern, _ use: Use) {
        patterns.append(pattern)
        uses.append(use)
    }

    private mutating func add(_ rule: DiagnosticRule, _ number: Int) {
        switch rule.form {
        case .lines(let lines):
            for (index, line) in lines.enumerated() {
                add(line.pattern, index == 0 ? .opening(rule: number) : .line(rule: number, index: index))
            }
        case .trace(let trace):
            add(trace.begin.pattern, .begin(rule: number))
            add(trace.frame.pattern, .frame(rule: number))
            if let end = trace.end { add(end.pattern, .end(rule: number)) }
        case .json(let json):
            add(json.pattern, .json(rule: number))
            hasJSON = true
        }
    }
}

extension ObserverRules {
    /// The groups of `line` by the pattern that says `use`, where that is among those `found` to match.
    func match(_ use: Use, among found: [Int], _ line: UnsafeRawBufferPointer) -> LineMatch? {
        found.first { uses[$0] == use }.flatMap { LineMatch(self, $0, line) }
    }
}

/// The groups of one line that matched, as texts.
struct LineMatch {
    private let match: PatternMatch
    private let line: UnsafeRawBufferPointer

    /// nil where the pattern of this number does not match after all.
    init?(_ rules: ObserverRules, _ number: Int, _ line: UnsafeRawBufferPointer) {
        let groups = rules.patterns[number].groups
        guard let match = PatternMatch(rules.program, pattern: number, groups: groups, line) else {
            return nil
        }
        self.match = match
        self.line = line
    }

    /// The text of a group, repaired; nil where there is no such group, or it is empty.
    func text(_ group: Int?) -> String? {
        guard let group, let range = match.range(group), !range.isEmpty else { return nil }
        return String(decoding: UnsafeRawBufferPointer(rebasing: line[range]), as: UTF8.self)
    }

    /// A number of at most twelve characters, with a fraction.
    func number(_ group: Int?) -> Double? {
        guard let text = text(group)?.filter({ $0 != "," && $0 != "_" }), text.count <= 12 else { return nil }
        guard let value = Double(text), value.isFinite, value >= 0 else { return nil }
        return value
    }

    /// A line or column, from 1.
    func place(_ group: Int?) -> Int? {
        text(group).flatMap { $0.count <= 9 ? Int($0) : nil }.flatMap { $0 > 0 ? $0 : nil }
    }
}
