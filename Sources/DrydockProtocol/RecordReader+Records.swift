// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

// One function a record type: from fields to the value.
extension RecordReader {
    /// The record, nil where its type is not known.
    func record() throws(FieldProblem) -> PluginRecord? {
        switch type {
        case "hello": .hello(protocolVersion: try word("protocol") ?? "1.0")
        case "stage": .stage(try stageChange())
        case "progress": .progress(try progress())
        case "expect":
            .expect(stage: try stageID("stage"), total: try Self.positive(try fields.required("total")))
        case "log": .log(try logLine())
        case "diag": .diag(try diagnostic())
        case "exec": .exec(try execRequest())
        case "mask": .mask(try maskValue())
        case "preview": .preview(try previewRule())
        default: try declaration()
        }
    }

    private func declaration() throws(FieldProblem) -> PluginRecord? {
        switch type {
        case "output": .output(key: try identifier("key"), value: try text("value") ?? "")
        case "artifact": .artifact(try artifactRule())
        case "notice":
            .notice(title: try title(fields.required("title")), markdown: try text("markdown") ?? "")
        case "will_fail": .willFail(reason: try title(fields.required("reason")))
        case "error":
            .error(
                DeclaredError(
                    message: try message(),
                    code: try word("code"),
                    fault: try fields.optional("fault"),
                    hint: try title("hint")
                )
            )
        case "end": .end(try endStatus(), message: try text("message"))
        default: nil
        }
    }

    private func stageChange() throws(FieldProblem) -> StageChange {
        StageChange(
            stage: StageID(rawValue: try identifier("id")),
            op: try fields.optional("op") ?? .start,
            title: try title("title"),
            parent: try stageID("parent"),
            weight: try fields["weight"].map(Self.positive),
            status: try fields.optional("status")
        )
    }

    private func progress() throws(FieldProblem) -> Progress {
        Progress(
            stage: try stageID("stage"),
            current: try fields.required("current").number(in: 0...Self.largest),
            total: try fields["total"].map(Self.positive),
            unit: try word("unit"),
            text: try title("text")
        )
    }

    private func logLine() throws(FieldProblem) -> LogLine {
        LogLine(
            stream: .plugin,
            stage: try stageID("stage"),
            text: try fields["text"]?.text() ?? "",
            level: (try fields.optional("level") as LogLevel?)?.rawValue
        )
    }

    private func diagnostic() throws(FieldProblem) -> Diagnostic {
        var diagnostic = Diagnostic(
            severity: try fields.optional("severity") ?? .error,
            message: try message(),
            file: try title("file"),
            line: try fields["line"]?.integer(in: 0...1_000_000_000),
            column: try fields["column"]?.integer(in: 0...1_000_000_000),
            code: try word("code")
        )
        diagnostic.hint = try title("hint")
        diagnostic.url = try title("url")
        diagnostic.stage = try stageID("stage")
        return diagnostic
    }

    private func execRequest() throws(FieldProblem) -> ExecRequest {
        let script = try text("script")
        if script?.utf8.contains(0) == true { throw FieldProblem("NUL in a command") }
        guard let argv = try fields["argv"]?.texts() ?? script.map({ ["sh", "-c", $0] }),
            argv.first?.isEmpty == false
        else { throw FieldProblem("'argv' is missing") }
        var request = ExecRequest(id: try identifier("id"), argv: argv)
        request.directory = try fields.optional("cwd")
        request.environment = try environment()
        request.stage = try stageID("stage")
        request.timeout = try seconds("timeout")
        request.silence = try seconds("silence")
        request.observers = try (fields.optional("observer") as ObserverName?).map { [$0] } ?? []
        request.streams = try fields.optional("streams") ?? .together
        request.input = try text("stdin")
        request.tail = try fields["tail"]?.integer(in: 0...PluginLineLimits.tail) ?? request.tail
        return request
    }

    /// Names and values that a process can be given.
    private func environment() throws(FieldProblem) -> [String: String] {
        var environment: [String: String] = [:]
        for (name, value) in try fields["env"]?.fields().values ?? [:] {
            guard let text = value.string, !text.utf8.contains(0), !name.isEmpty,
                !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") })
            else { throw FieldProblem("'env' holds something else than names and text") }
            environment[name] = text
        }
        return environment
    }

    private func maskValue() throws(FieldProblem) -> String {
        let field = try fields.required("value")
        let value = try field.filled(limit: PluginLineLimits.text)
        if value.utf8.count >= PluginLineLimits.shortestMask { return value }
        throw FieldProblem("a mask has at least \(PluginLineLimits.shortestMask) bytes")
    }

    private func artifactRule() throws(FieldProblem) -> ArtifactRule {
        ArtifactRule(
            path: try fields.required("path"),
            role: try fields.optional("role") ?? .other,
            title: try title("title")
        )
    }

    private func previewRule() throws(FieldProblem) -> PreviewRule {
        let rule = PreviewRule(
            root: try fields.optional("root"),
            spa: try fields.optional("spa") ?? false,
            start: try fields["start"]?.texts()
        )
        if rule.start?.isEmpty == true { throw FieldProblem("'start' is empty") }
        if rule.root == nil, rule.start == nil { throw FieldProblem("'root' or 'start' is missing") }
        return rule
    }

    private func endStatus() throws(FieldProblem) -> PluginRecord.EndStatus {
        guard let field = fields["ok"] else { return .ok }
        if let flag = try? field.bool() { return flag ? .ok : .failed }
        return try PluginRecord.EndStatus(field)
    }
}

// MARK: Texts and numbers in their bounds

extension RecordReader {
    /// What no number of a record may be above.
    private static let largest = 1e15

    private func word(_ key: String) throws(FieldProblem) -> String? {
        try fields[key]?.text(limit: PluginLineLimits.word)
    }

    private func title(_ key: String) throws(FieldProblem) -> String? {
        try fields[key]?.text(limit: PluginLineLimits.title)
    }

    private func title(_ field: Field) throws(FieldProblem) -> String {
        try field.filled(limit: PluginLineLimits.title)
    }

    private func text(_ key: String) throws(FieldProblem) -> String? {
        try fields[key]?.text(limit: PluginLineLimits.text)
    }

    private func message() throws(FieldProblem) -> String {
        try fields.required("message").filled(limit: PluginLineLimits.text)
    }

    private static func positive(_ field: Field) throws(FieldProblem) -> Double {
        let number = try field.number(in: 0...largest)
        if number > 0 { return number }
        throw field.problem("is not above 0")
    }

    private func seconds(_ key: String) throws(FieldProblem) -> Duration? {
        try fields[key].map(Self.positive).map { .milliseconds(Int64($0 * 1_000)) }
    }

    private func stageID(_ key: String) throws(FieldProblem) -> StageID? {
        fields[key] == nil ? nil : StageID(rawValue: try identifier(key))
    }

    /// An id: `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`.
    func identifier(_ key: String) throws(FieldProblem) -> String {
        let field = try fields.required(key)
        let text = try field.filled(limit: PluginLineLimits.word)
        if PluginLineDecoder.isID(text) { return text }
        throw field.problem("is not an id")
    }
}

private enum LogLevel: String, CaseIterable, FieldReadable {
    case debug
    case info
    case warning
    case error
}
