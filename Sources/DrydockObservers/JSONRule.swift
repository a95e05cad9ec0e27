// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// How a line of JSON tells what went wrong.
struct JSONRule: Hashable, Sendable {
    /// What such a line begins with.
    var pattern: LinePattern
    /// Where in the line the diagnostic is; nil = the whole is one.
    var at: JSONPath?
    var message: JSONPath
    var severity: JSONPath
    var code: JSONPath?
    var file: JSONPath?
    var line: JSONPath?
    var column: JSONPath?
    /// What the tool itself advises, told behind the message.
    var help: JSONPath?
}

/// The way to a value: keys, and of a list the first element where a key has a value, as in `spans[is_primary=true].file_name`.
struct JSONPath: Hashable, Sendable {
    private enum Part: Hashable, Sendable {
        case key(String)
        case element(key: String, value: String)
    }

    private static let mostParts = 8
    private let parts: [Part]

    /// nil where `text` is no such way.
    init?(_ text: String) {
        var parts: [Part] = []
        for piece in text.split(separator: ".", omittingEmptySubsequences: false) {
            let halves = piece.split(separator: "[", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = halves.first, !key.isEmpty else { return nil }
            parts.append(.key(String(key)))
            guard halves.count == 2 else { continue }
            let wanted = halves[1].dropLast().split(separator: "=", omittingEmptySubsequences: false)
            guard halves[1].last == "]", wanted.count == 2, wanted.allSatisfy({ !$0.isEmpty }) else {
                return nil
            }
            parts.append(.element(key: String(wanted[0]), value: String(wanted[1])))
        }
        guard parts.count <= Self.mostParts else { return nil }
        self.parts = parts
    }

    func value(in json: JSON) -> JSON? {
        var value = json
        for part in parts {
            switch part {
            case .key(let key):
                guard let next = value[key] else { return nil }
                value = next
            case .element(let key, let wanted):
                guard case .array(let elements) = value,
                    let next = elements.first(where: { $0[key]?.isWritten(wanted) == true })
                else { return nil }
                value = next
            }
        }
        return value
    }
}

extension JSONPath: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let text = try field.filled(limit: 200)
        guard let path = JSONPath(text) else {
            throw field.problem("is no way to a value, such as 'spans[is_primary=true].file_name'")
        }
        self = path
    }
}

extension JSONRule: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields([
            "regexp", "at", "message", "severity", "code", "file", "line", "column", "help",
        ])
        pattern = try fields.required("regexp")
        at = try fields.optional("at")
        message = try fields.required("message")
        severity = try fields.required("severity")
        code = try fields.optional("code")
        file = try fields.optional("file")
        line = try fields.optional("line")
        column = try fields.optional("column")
        help = try fields.optional("help")
    }
}

extension JSON {
    /// Whether it is a text or a truth value that is written like this.
    fileprivate func isWritten(_ text: String) -> Bool {
        switch self {
        case .string(let string): string == text
        case .bool(let bool): text == (bool ? "true" : "false")
        default: false
        }
    }

    /// A line or column, from 1.
    fileprivate var place: Int? { integer.flatMap(Diagnostic.place) }
}

extension DiagnosticDraft {
    /// What `json` says; nil where it says no severity that is one.
    init?(_ rule: JSONRule, of diagnostic: DiagnosticRule, needsPlace: Bool, _ json: JSON) {
        self.init(diagnostic, needsPlace: needsPlace)
        guard let whole = rule.at.map({ $0.value(in: json) }) ?? json,
            let word = rule.severity.value(in: whole)?.string,
            let severity = Diagnostic.Severity(word: word)
        else { return nil }
        self.severity = severity
        func text(_ path: JSONPath?) -> String? { path?.value(in: whole)?.string }
        var message = text(rule.message)
        if let help = text(rule.help), !help.isEmpty { message = message.map { "\($0); help: \(help)" } }
        take(
            message: message,
            code: text(rule.code),
            place: text(rule.file).map { name in
                (
                    name, rule.line?.value(in: whole)?.place, rule.column?.value(in: whole)?.place
                )
            }
        )
    }
}
