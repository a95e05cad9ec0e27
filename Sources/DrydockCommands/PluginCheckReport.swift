// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockPlugins
internal import DrydockWorker
internal import FoundationEssentials

/// What came of a check, as people and programs read it.
struct PluginCheckReport {
    private struct Row: Encodable {
        var severity: String
        var part: String
        var message: String
        var hint: String?
        var file: String?
        var line: Int?
        var said: String?
    }

    private struct Asked: Encodable {
        var what: String
        var answer: String
        var ms: Int64
    }

    private struct Document: Encodable {
        var path: String
        var name: String?
        var errors: Int
        var warnings: Int
        var findings: [Row]
        var asked: [Asked]
        var stderr: [String]
    }

    let path: String
    /// nil: it can not be used at all.
    var plugin: Plugin?
    var findings: [PluginFinding] = []
    private var asked: [Asked] = []
    private var heard: [String] = []

    init(path: String) { self.path = path }

    var hasErrors: Bool { count(.error) > 0 }

    private func count(_ severity: PluginFinding.Severity) -> Int {
        findings.count { $0.severity == severity }
    }

    private func words(_ severity: PluginFinding.Severity) -> String {
        "\(count(severity)) \(severity.rawValue)\(count(severity) == 1 ? "" : "s")"
    }

    mutating func take(_ result: VerbCheck.Result) {
        findings += result.findings
        heard += result.heard
        asked += result.asked.map {
            Asked(what: $0.what, answer: "exit status \($0.status)", ms: $0.duration.milliseconds)
        }
    }

    mutating func take(_ tried: PluginTrial.Tried, _ what: String) {
        findings += tried.findings
        heard += tried.heard.map { "\(what): \($0)" }
        let answer = tried.failure?.code.rawValue ?? "succeeded"
        asked.append(Asked(what: what, answer: answer, ms: tried.duration.milliseconds))
    }

    func show(json: Bool) throws {
        if json { return try Console.json(document) }
        let kind = plugin.map { "\($0.manifest.kind.rawValue) \($0.name) \($0.manifest.version), " } ?? ""
        line("checked", kind + path)
        for row in asked { line("asked", "\(row.what): \(row.answer), \(row.ms) ms") }
        for text in heard.prefix(50) { line("stderr", text) }
        for finding in findings.enumerated().sorted(by: Self.comesFirst).map(\.element) {
            line(finding.severity.rawValue, finding.sentence)
            if let said = finding.said { line("", "it wrote: \(said)") }
        }
        line("", [words(.error), words(.warning)].joined(separator: ", "))
    }

    /// The gravest first, else in the order in which they were found.
    private static func comesFirst(
        _ left: (offset: Int, element: PluginFinding),
        _ right: (offset: Int, element: PluginFinding)
    ) -> Bool {
        left.element.severity == right.element.severity
            ? left.offset < right.offset : left.element.severity > right.element.severity
    }

    private func line(_ word: String, _ text: String) {
        Console.wrapped(TerminalText.plain("\(word.padded(to: 8))\(text)"), indent: 8)
    }

    private var document: Document {
        Document(
            path: path,
            name: plugin?.name.rawValue,
            errors: count(.error),
            warnings: count(.warning),
            findings: findings.map {
                Row(
                    severity: $0.severity.rawValue,
                    part: $0.part,
                    message: $0.message,
                    hint: $0.hint,
                    file: $0.file,
                    line: $0.line,
                    said: $0.said
                )
            },
            asked: asked,
            stderr: heard
        )
    }
}

extension PluginFinding {
    /// Place, what is wrong, and what to do.
    fileprivate var sentence: String {
        let place: String
        if let file {
            place = file + (line.map { ":\($0)" } ?? "")
        } else {
            place = part + (line.map { ", line \($0) of its output" } ?? "")
        }
        return "\(place): \(message)" + (hint.map { " (\($0))" } ?? "")
    }
}
