// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

extension Observer {
    /// Bytes of an observer's file at most.
    package static let largest = 256 << 10
    private static let longestText = 1_024
    private static let mostRules = 200

    /// Reads an observer strictly; `name` is that of its file.
    package init(_ document: Field, name: ObserverName) throws(FieldProblem) {
        let fields = try document.fields([
            "observer", "name", "title", "recorded", "commands", "includes", "environment", "progress",
            "diagnostics", "directories", "runs",
        ])
        let version = try fields.required("observer")
        guard try version.text() == "1.0" else {
            throw version.problem("is of a format that this version of Drydock does not read; it reads 1.0")
        }
        self.name = name
        if let field = fields["name"], case let declared = try field.text(), declared != name.rawValue {
            throw field.problem("is '\(declared.prefix(64))', but the file is named \(name).json")
        }
        title = try fields["title"]?.text(limit: Self.longestText) ?? name.rawValue
        recorded = try fields["recorded"]?.texts() ?? []
        commands = try fields["commands"]?.texts(allFilled: true) ?? []
        includes = try fields.optional("includes") ?? []
        environment = try fields.optional("environment") ?? [:]
        progress = try Self.rules(fields["progress"])
        diagnostics = try Self.rules(fields["diagnostics"])
        directories = try Self.rules(fields["directories"])
        runs = try Self.rules(fields["runs"])
        if recorded.isEmpty, !progress.isEmpty, let field = fields["progress"] {
            throw field.problem(
                "needs 'recorded': an observer that no real output was tried on can not tell progress"
            )
        }
        try checkEnvironment(fields["environment"])
    }

    private static func rules<Rule: FieldReadable>(_ field: Field?) throws(FieldProblem) -> [Rule] {
        guard let field else { return [] }
        let rules = try [Rule](field)
        guard rules.count <= mostRules else {
            throw field.problem("has \(rules.count) rules; there may be \(mostRules)")
        }
        return rules
    }

    private func checkEnvironment(_ field: Field?) throws(FieldProblem) {
        for name in environment.keys.sorted() {
            let isTaken = VariableRule.isOwn(name) || VariableRule.steersLoader(name)
            guard VariableRule.isName(name), !isTaken else {
                throw FieldProblem(
                    "'\(name.prefix(64))' is no variable that an observer may set",
                    line: field?.line
                )
            }
        }
    }
}

extension LinePattern: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        do throws(PatternProblem) {
            try self.init(try Self.source(field))
        } catch {
            throw field.problem("is no pattern: it \(error.reason)")
        }
    }

    private static func source(_ field: Field) throws(PatternProblem) -> String {
        guard let text = field.value.string else { throw PatternProblem("is no text") }
        return text
    }

    /// The number of a group of this pattern.
    fileprivate func group(_ field: Field?) throws(FieldProblem) -> Int? {
        guard let field else { return nil }
        let number = try field.integer(in: 0...1_000)
        guard number <= groups else {
            throw field.problem("is group \(number), and the pattern has \(groups)")
        }
        return number
    }

    fileprivate func requiredGroup(_ name: String, _ fields: Fields) throws(FieldProblem) -> Int {
        try group(try fields.required(name)) ?? 0
    }
}

extension ProgressRule: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields([
            "regexp", "current", "total", "percent", "count", "expect", "unit", "span", "overwritten",
        ])
        pattern = try fields.required("regexp")
        let name = try fields["count"]?.filled(limit: 40)
        if let expect = try pattern.group(fields["expect"]) {
            guard let name else {
                throw field.problem("has 'expect' without 'count', the name of what it expects")
            }
            form = .expectation(expect, unit: name)
        } else if let name {
            form = .unit(name)
        } else if let percent = try pattern.group(fields["percent"]) {
            form = .percent(percent)
        } else {
            form = .counter(
                current: try pattern.requiredGroup("current", fields),
                total: try pattern.requiredGroup("total", fields)
            )
        }
        unit = try fields["unit"]?.text(limit: 40)
        span = try fields["span"].map(Self.span)
        isOverwrittenOnly = try fields.optional("overwritten") ?? false
    }

    private static func span(_ field: Field) throws(FieldProblem) -> ClosedRange<Double> {
        let bounds = try [Double](field)
        guard bounds.count == 2, 0 <= bounds[0], bounds[0] < bounds[1], bounds[1] <= 1 else {
            throw field.problem("should be two numbers between 0 and 1, the smaller one first")
        }
        return bounds[0]...bounds[1]
    }
}

extension DiagnosticRule: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields([
            "owner", "severity", "pattern", "trace", "json", "consequence", "hint",
        ])
        severity = try fields["severity"].map(Self.severity) ?? .error
        isConsequence = try fields.optional("consequence") ?? false
        hint = try fields["hint"]?.filled(limit: 500)
        if let trace = fields["trace"] {
            form = .trace(try TraceRule(trace))
            return
        }
        if let json = fields["json"] {
            form = .json(try JSONRule(json))
            return
        }
        let patterns = try fields.required("pattern")
        let lines = try [LineRule](patterns)
        guard (1...20).contains(lines.count) else {
            throw patterns.problem("has \(lines.count) lines; there may be 1 to 20")
        }
        if lines.dropLast().contains(where: { $0.loops || $0.joins }) {
            throw patterns.problem("has 'loop' or 'join' in a line that is not the last")
        }
        if lines.count == 1, lines[0].joins {
            throw patterns.problem("has 'join' in its only line: there is nothing to add to")
        }
        guard lines.contains(where: { $0.message != nil }) else {
            throw patterns.problem("has no 'message'")
        }
        form = .lines(lines)
    }

    private static func severity(_ field: Field) throws(FieldProblem) -> Diagnostic.Severity {
        let word = try field.text()
        guard let severity = Diagnostic.Severity(word: word) else {
            throw field.problem("is '\(word.prefix(40))'; it can be error, warning or note")
        }
        return severity
    }
}

extension LineRule: FieldReadable {
    private static let longestFile = 200

    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields([
            "regexp", "file", "search", "fromPath", "line", "column", "severity", "code", "message", "join",
            "loop",
            "within", "optional",
        ])
        pattern = try fields.required("regexp")
        if let named = fields["file"], named.value.string != nil {
            constantFile = try named.filled(limit: Self.longestFile)
        } else {
            file = try pattern.group(fields["file"])
        }
        searches = try fields.optional("search") ?? false
        line = try pattern.group(fields["line"])
        column = try pattern.group(fields["column"])
        severity = try pattern.group(fields["severity"])
        code = try pattern.group(fields["code"])
        message = try pattern.group(fields["message"])
        joins = try fields.optional("join") ?? false
        loops = try fields.optional("loop") ?? false
        guard !joins || (message != nil && !loops) else {
            throw field.problem("has 'join' without 'message', or with 'loop'")
        }
        within = try fields["within"]?.integer(in: 1...20) ?? 1
        isOptional = try fields.optional("optional") ?? false
    }
}

extension TraceRule: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields(["begin", "frame", "end", "deepest"])
        begin = try fields.required("begin")
        frame = try fields.required("frame")
        end = try fields.optional("end")
        deepest = try fields.required("deepest")
        guard begin.message != nil || end?.message != nil else {
            throw field.problem("has no 'message' in 'begin' or 'end'")
        }
        guard ![begin, frame, end].compactMap(\.self).contains(where: \.joins) else {
            throw field.problem("has 'join', which is for 'pattern'")
        }
        guard frame.file != nil else { throw field.problem("has no 'file' in 'frame'") }
    }
}

extension DirectoryRule: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields(["regexp", "enter", "leave"])
        let pattern: LinePattern = try fields.required("regexp")
        if let group = try pattern.group(fields["enter"]) {
            self = .enter(pattern, group: group)
        } else if try fields.optional("leave") ?? false {
            self = .leave(pattern)
        } else {
            throw field.problem("has neither 'enter', a group, nor 'leave: true'")
        }
    }
}

extension RunsRule: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields(["regexp", "command"])
        pattern = try fields.required("regexp")
        command = try pattern.requiredGroup("command", fields)
    }
}

extension Diagnostic.Severity {
    /// What tools call it, in any case; nil for another word.
    init?(word: String) {
        switch word.lowercased() {
        case "error", "fatal", "fatal error", "e", "f", "critical", "severe": self = .error
        case "warning", "warn", "w": self = .warning
        case "note", "notice", "info", "help", "n", "i": self = .note
        default: return nil
        }
    }
}
