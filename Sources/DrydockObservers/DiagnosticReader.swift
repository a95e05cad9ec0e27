// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Puts diagnostics together that several lines tell.
struct DiagnosticReader {
    /// A diagnostic whose next line is awaited.
    private struct Open {
        var rule: Int
        /// The line that is awaited.
        var next: Int
        /// Lines that may still pass.
        var patience: Int
        var draft: DiagnosticDraft
        /// Its last line came, and may come again.
        var isComplete = false
    }

    private struct Trace {
        var rule: Int
        /// Its frames' files may be named by the end of their paths.
        var searches: Bool
        var patience = DiagnosticReader.longestTrace
        var frames = 0
        var place: (file: String, line: Int?, column: Int?)?
        var draft: DiagnosticDraft

        /// Takes in a frame: the innermost one inside the project is the place.
        mutating func note(_ rule: TraceRule, _ match: LineMatch, _ place: SourcePlaces.Entered) {
            frames += 1
            guard rule.deepest == .last || self.place == nil else { return }
            guard let file = match.text(rule.frame.file), place(file, searches: rule.frame.searches) != nil
            else { return }
            self.place = (file, match.place(rule.frame.line), match.place(rule.frame.column))
        }
    }

    typealias Found = (diagnostic: Diagnostic, isConsequence: Bool)

    private static let mostOpen = 16
    private static let longestTrace = 500

    private var open: [Open] = []
    private var trace: Trace?

    /// Whether a line matters that matches nothing.
    var isWaiting: Bool { !open.isEmpty || trace != nil }

    /// What `line`, which the patterns `found` match, makes whole.
    mutating func read(
        _ found: [Int],
        _ line: UnsafeRawBufferPointer,
        _ rules: ObserverRules,
        _ place: SourcePlaces.Entered
    ) -> [Found] {
        var done: [Found] = []
        if follow(found, line, rules, place, &done) { return done }
        if goOn(found, line, rules, place, &done) { return done }
        begin(found, line, rules, place, &done)
        return done
    }

    /// What a line of JSON tells, which the pattern of `rule` says it is.
    func read(
        _ json: JSON,
        rule: Int,
        _ rules: ObserverRules,
        _ place: SourcePlaces.Entered
    ) -> Found? {
        let diagnostic = rules.diagnostics[rule]
        guard case .json(let form) = diagnostic.form,
            let draft = DiagnosticDraft(
                form,
                of: diagnostic,
                needsPlace: rule >= rules.firstUnnamed,
                json
            )
        else { return nil }
        return draft.diagnostic(place).map { ($0, draft.isConsequence) }
    }

    /// What is left at the end of the output.
    mutating func finish(_ rules: ObserverRules, _ place: SourcePlaces.Entered) -> [Found] {
        var done: [Found] = []
        if let trace { close(trace, place, &done) }
        trace = nil
        for entry in open {
            if case .lines(let lines) = rules.diagnostics[entry.rule].form {
                giveUp(entry, lines, place, &done)
            }
        }
        open = []
        return done
    }

    private func finish(_ draft: DiagnosticDraft, _ place: SourcePlaces.Entered, _ done: inout [Found]) {
        if let diagnostic = draft.diagnostic(place) { done.append((diagnostic, draft.isConsequence)) }
    }

    // MARK: Traces

    /// Whether the line belonged to the open trace.
    private mutating func follow(
        _ found: [Int],
        _ line: UnsafeRawBufferPointer,
        _ rules: ObserverRules,
        _ place: SourcePlaces.Entered,
        _ done: inout [Found]
    ) -> Bool {
        guard var trace, case .trace(let rule) = rules.diagnostics[trace.rule].form else { return false }
        self.trace = nil
        if let match = rules.match(.frame(rule: trace.rule), among: found, line) {
            trace.note(rule, match, place)
            self.trace = trace
            return true
        }
        if let end = rule.end {
            if let match = rules.match(.end(rule: trace.rule), among: found, line) {
                trace.draft.take(end, match)
                close(trace, place, &done)
                return true
            }
            trace.patience -= 1
            if trace.patience > 0 { self.trace = trace }
            // Source lines between the frames: a trace of another kind may begin all the same.
            return trace.patience > 0
                && !found.contains { if case .begin = rules.uses[$0] { true } else { false } }
        }
        close(trace, place, &done)
        return false
    }

    private func close(_ trace: Trace, _ place: SourcePlaces.Entered, _ done: inout [Found]) {
        guard trace.frames > 0 else { return }
        var draft = trace.draft
        if let found = trace.place { draft.setPlace(found, searches: trace.searches) }
        finish(draft, place, &done)
    }

    // MARK: Lines in a row

    /// Whether the line was the next of an open diagnostic.
    private mutating func goOn(
        _ found: [Int],
        _ line: UnsafeRawBufferPointer,
        _ rules: ObserverRules,
        _ place: SourcePlaces.Entered,
        _ done: inout [Found]
    ) -> Bool {
        guard !open.isEmpty else { return false }
        var isTaken = false
        var kept: [Open] = []
        for var entry in open {
            guard case .lines(let lines) = rules.diagnostics[entry.rule].form else { continue }
            let awaited = ObserverRules.Use.line(rule: entry.rule, index: entry.next)
            if !isTaken, let match = rules.match(awaited, among: found, line) {
                isTaken = true
                if let next = advance(entry, lines, match, place, &done) { kept.append(next) }
                continue
            }
            entry.patience -= 1
            if entry.patience > 0 { kept.append(entry) } else { giveUp(entry, lines, place, &done) }
        }
        open = kept
        return isTaken
    }

    /// The diagnostic with one more line; nil when it is whole.
    private func advance(
        _ entry: Open,
        _ lines: [LineRule],
        _ match: LineMatch,
        _ place: SourcePlaces.Entered,
        _ done: inout [Found]
    ) -> Open? {
        let rule = lines[entry.next]
        var next = entry
        var draft = entry.draft
        draft.take(rule, match)
        if entry.next + 1 < lines.count {
            next.draft = draft
            next.next += 1
        } else {
            if rule.joins {
                next.draft = draft
            } else {
                finish(draft, place, &done)
                guard rule.loops else { return nil }
            }
            next.isComplete = true
        }
        next.patience = next.isComplete && rule.joins ? 1 : lines[next.next].within
        return next
    }

    /// A line that did not come leaves what there is, where it may.
    private func giveUp(
        _ entry: Open,
        _ lines: [LineRule],
        _ place: SourcePlaces.Entered,
        _ done: inout [Found]
    ) {
        let line = lines[entry.next]
        if entry.isComplete ? line.joins : line.isOptional { finish(entry.draft, place, &done) }
    }

    // MARK: Beginning

    private mutating func begin(
        _ found: [Int],
        _ line: UnsafeRawBufferPointer,
        _ rules: ObserverRules,
        _ place: SourcePlaces.Entered,
        _ done: inout [Found]
    ) {
        for number in found {
            switch rules.uses[number] {
            case .opening(let index):
                guard case .lines(let lines) = rules.diagnostics[index].form,
                    let match = LineMatch(rules, number, line)
                else { continue }
                var draft = draft(index, rules)
                draft.take(lines[0], match)
                guard lines.count > 1 else {
                    let before = done.count
                    finish(draft, place, &done)
                    if done.count == before { continue }
                    return
                }
                guard open.count < Self.mostOpen else { continue }
                open.append(Open(rule: index, next: 1, patience: lines[1].within, draft: draft))
            case .begin(let index):
                guard trace == nil, case .trace(let rule) = rules.diagnostics[index].form,
                    let match = LineMatch(rules, number, line)
                else { continue }
                var draft = draft(index, rules)
                draft.take(rule.begin, match)
                trace = Trace(rule: index, searches: rule.frame.searches, draft: draft)
            default: continue
            }
        }
    }

    private func draft(_ index: Int, _ rules: ObserverRules) -> DiagnosticDraft {
        DiagnosticDraft(rules.diagnostics[index], needsPlace: index >= rules.firstUnnamed)
    }
}
