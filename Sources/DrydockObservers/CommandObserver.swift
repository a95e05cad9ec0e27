// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import Glibc

/// Reads how far one command is and what went wrong off its output, by the rules of the observers that are chosen for it.
///
/// A line costs time linear in its length, whatever it holds, and memory is bounded.
package struct CommandObserver: Sendable {
    package enum Observation: Hashable, Sendable {
        case progress(current: Double, total: Double, unit: String?)
        /// So many units of this name were seen; `total` nil = nobody said how many there will be.
        case units(String, seen: Int, total: Int?)
        /// `isConsequence`: it says that something failed, not what.
        case diagnostic(Diagnostic, isConsequence: Bool)
    }

    /// Longer lines are data, not messages.
    package static let longestLine = 4_096
    /// One line of JSON may hold a whole page, such as rustc's explanations.
    private static let longestJSON = 65_536
    private static let mostDirectories = 64
    private static let mostReaders = 40
    private static let mostPrograms = 200
    private static let mostUnits = 16
    private static let mostRemembered = 2_000

    private let catalog: ObserverCatalog
    private let places: SourcePlaces
    private let readJSON: ReadJSON
    private var readers: [Observer]
    /// Programs whose observers read already, or that have none.
    private var joined: Set<String> = []
    private var rules: ObserverRules
    private var scanner: PatternScanner
    private var diagnostics = DiagnosticReader()
    /// Directories that the tool entered, as places of the source.
    private var directories: [String] = []
    private var units: [String: (seen: Int, total: Int?)] = [:]
    private var counter = PlainCounter()
    /// Whether a rule told progress: then no other line is taken for it.
    private var hasProgress = false
    /// What was told already.
    private var told: Set<Diagnostic> = []
    private var found: [Int] = []

    /// Reads one value of JSON, within bounds; nil where it is none.
    package typealias ReadJSON = @Sendable ([UInt8]) -> JSON?

    /// Reads for the command `argv`, with the observers `named`, or those of its programs.
    package init(
        _ argv: [String],
        named: [ObserverName] = [],
        catalog: ObserverCatalog,
        places: SourcePlaces,
        readJSON: @escaping ReadJSON
    ) {
        self.catalog = catalog
        self.places = places
        self.readJSON = readJSON
        readers = catalog.readers(of: argv, named: named)
        rules = ObserverRules(readers, everybody: catalog.everybody)
        scanner = PatternScanner(rules.program)
    }

    /// Variables that make the command's tools tell more.
    package var environment: [String: String] {
        readers.reduce(into: [:]) { all, reader in all.merge(reader.environment) { first, _ in first } }
    }

    /// Hands on what `line` tells; `isOverwritten` where a carriage return ended it.
    package mutating func observe(
        _ line: UnsafeRawBufferPointer,
        isOverwritten: Bool,
        _ tell: (Observation) -> Void
    ) {
        if rules.hasJSON, !isOverwritten, line.first == UInt8(ascii: "{"), observeJSON(line, tell) { return }
        guard line.count <= Self.longestLine else { return }
        guard let start = line.baseAddress, memchr(start, 0x1B, line.count) != nil else {
            return observeClean(line, isOverwritten, tell)
        }
        AnsiText.stripped(line).withUnsafeBytes { observeClean($0, isOverwritten, tell) }
    }

    /// What is left when nothing more comes.
    package mutating func finish(_ tell: (Observation) -> Void) {
        let place = placing
        for last in diagnostics.finish(rules, place) { report(last, tell) }
    }

    private var placing: SourcePlaces.Entered {
        SourcePlaces.Entered(places: places, directory: directories.last)
    }

    private mutating func observeClean(
        _ line: UnsafeRawBufferPointer,
        _ isOverwritten: Bool,
        _ tell: (Observation) -> Void
    ) {
        scanner.scan(line, &found)
        if !hasProgress, let counted = counter.read(line) { return tell(counted) }
        if !diagnostics.isWaiting, found.allSatisfy({ rules.uses[$0].isContinuation }) { return }
        observeProgress(line, isOverwritten, tell)
        guard !isOverwritten else { return }
        for done in diagnostics.read(found, line, rules, placing) { report(done, tell) }
        observeSurroundings(line)
    }

    // MARK: Progress

    private mutating func observeProgress(
        _ line: UnsafeRawBufferPointer,
        _ isOverwritten: Bool,
        _ tell: (Observation) -> Void
    ) {
        for number in found {
            guard case .progress(let index) = rules.uses[number] else { return }
            let rule = rules.progress[index]
            guard isOverwritten || !rule.isOverwrittenOnly else { continue }
            if let seen = progress(rule, number, line) {
                hasProgress = true
                return tell(seen)
            }
        }
    }

    private mutating func progress(
        _ rule: ProgressRule,
        _ number: Int,
        _ line: UnsafeRawBufferPointer
    ) -> Observation? {
        if case .unit(let name) = rule.form { return count(name) { $0.seen += 1 } }
        guard let match = LineMatch(rules, number, line) else { return nil }
        switch rule.form {
        case .unit: return nil
        case .expectation(let group, let name):
            guard let total = match.place(group) else { return nil }
            return count(name) { $0.total = total }
        case .percent(let group):
            guard let percent = match.number(group), percent <= 100 else { return nil }
            return Self.progress(percent, of: 100, rule, unit: "%")
        case .counter(let current, let total):
            guard let current = match.number(current), let total = match.number(total), total > 0,
                current <= total
            else { return nil }
            return Self.progress(current, of: total, rule, unit: rule.unit)
        }
    }

    private static func progress(
        _ current: Double,
        of total: Double,
        _ rule: ProgressRule,
        unit: String?
    ) -> Observation {
        guard let span = rule.span else { return .progress(current: current, total: total, unit: unit) }
        let whole = span.lowerBound + (span.upperBound - span.lowerBound) * current / total
        return .progress(current: whole * 100, total: 100, unit: "%")
    }

    private mutating func count(
        _ name: String,
        _ change: (inout (seen: Int, total: Int?)) -> Void
    ) -> Observation? {
        guard units[name] != nil || units.count < Self.mostUnits else { return nil }
        var unit = units[name] ?? (seen: 0, total: nil)
        change(&unit)
        units[name] = unit
        return .units(name, seen: unit.seen, total: unit.total.map { max($0, unit.seen) })
    }

    // MARK: Diagnostics

    private mutating func report(_ done: DiagnosticReader.Found, _ tell: (Observation) -> Void) {
        // The column of a repeated one may differ, and its code: the message at its line is what a person sees.
        var key = done.diagnostic
        (key.column, key.code) = (nil, nil)
        if told.contains(key) { return }
        if told.count < Self.mostRemembered { told.insert(key) }
        tell(.diagnostic(done.diagnostic, isConsequence: done.isConsequence))
    }

    /// Whether the line is JSON that a rule reads.
    private mutating func observeJSON(
        _ line: UnsafeRawBufferPointer,
        _ tell: (Observation) -> Void
    ) -> Bool {
        guard line.count <= Self.longestJSON else { return false }
        scanner.scan(UnsafeRawBufferPointer(rebasing: line.prefix(Self.longestLine)), &found)
        let rule = found.lazy.compactMap { [rules] number -> Int? in
            if case .json(let rule) = rules.uses[number] { rule } else { nil }
        }.first
        guard let rule, let json = readJSON(Array(line)) else { return false }
        if let done = diagnostics.read(json, rule: rule, rules, placing) { report(done, tell) }
        return true
    }

    // MARK: What the line says about those to come

    private mutating func observeSurroundings(_ line: UnsafeRawBufferPointer) {
        for number in found {
            switch rules.uses[number] {
            case .directory(let index): observe(rules.directories[index], number, line)
            case .runs(let index):
                let match = LineMatch(rules, number, line)
                if let command = match?.text(rules.runs[index].command) { return join(command) }
            default: break
            }
        }
    }

    private mutating func observe(_ rule: DirectoryRule, _ number: Int, _ line: UnsafeRawBufferPointer) {
        switch rule {
        case .leave: _ = directories.popLast()
        case .enter(_, let group):
            let name = LineMatch(rules, number, line)?.text(group)
            guard let name, directories.count < Self.mostDirectories else { return }
            directories.append(places.directory(named: name))
        }
    }

    /// Lets the observers of a command that runs from here on read as well.
    private mutating func join(_ command: String) {
        // A project may print such lines without end: each program is looked up once.
        let programs = CommandWords.programs(inLine: command).filter { !joined.contains($0) }
        guard !programs.isEmpty, joined.count < Self.mostPrograms else { return }
        joined.formUnion(programs)
        let names = Set(readers.map(\.name))
        let new = catalog.readers(ofPrograms: programs).filter { !names.contains($0.name) }
        guard !new.isEmpty, readers.count + new.count <= Self.mostReaders else { return }
        // Numbers of patterns change: what is open is of the old ones.
        diagnostics = DiagnosticReader()
        readers += new
        rules = ObserverRules(readers, everybody: catalog.everybody)
        scanner = PatternScanner(rules.program)
    }
}

/// `[n/m]` or `(n/m)` at the very start of a line, where n rises and m stays: what any tool may mean by it.
struct PlainCounter: Sendable {
    private var last: (current: Int, total: Int)?

    /// The progress, from the second one on that belongs together.
    mutating func read(_ line: UnsafeRawBufferPointer) -> CommandObserver.Observation? {
        guard let first = line.first, first == UInt8(ascii: "[") || first == UInt8(ascii: "(") else {
            return nil
        }
        let close = first == UInt8(ascii: "[") ? UInt8(ascii: "]") : UInt8(ascii: ")")
        var rest = line.dropFirst()
        guard let current = Self.number(&rest), rest.popFirst() == UInt8(ascii: "/"),
            let total = Self.number(&rest), rest.popFirst() == close, total > 0, current <= total
        else { return nil }
        defer { last = (current, total) }
        guard let last, last.total == total, last.current < current else { return nil }
        return .progress(current: Double(current), total: Double(total), unit: nil)
    }

    private static func number(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Int? {
        rest = rest.drop { $0 == 0x20 }
        let digits = rest.prefix(10).prefix { (0x30...0x39).contains($0) }
        guard (1...9).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
