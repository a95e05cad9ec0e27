// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

// One function a record type: from checked fields to the value.
extension RecordFields {
    /// The record, nil where its type is not known.
    func record() throws(MalformedRecord) -> PluginRecord? {
        switch type {
        case "hello": .hello(protocolVersion: try text("protocol", limit: PluginLineLimits.word) ?? "1.0")
        case "stage": .stage(try stageChange())
        case "progress": .progress(try progress())
        case "expect": .expect(stage: try stageID("stage"), total: try positive("total"))
        case "log": .log(try logLine())
        case "diag": .diag(try diagnostic())
        case "exec": .exec(try execRequest())
        case "mask": .mask(try maskValue())
        case "preview": .preview(try previewRule())
        default: try declaration()
        }
    }

    private func declaration() throws(MalformedRecord) -> PluginRecord? {
        switch type {
        case "output":
            .output(
                key: try identifier("key"),
                value: try text("value", limit: PluginLineLimits.text) ?? ""
            )
        case "artifact": .artifact(try artifactRule())
        case "notice":
            .notice(
                title: try required("title"),
                markdown: try text("markdown", limit: PluginLineLimits.text) ?? ""
            )
        case "will_fail": .willFail(reason: try required("reason"))
        case "error":
            .error(
                DeclaredError(
                    message: try required("message", limit: PluginLineLimits.text),
                    code: try text("code", limit: PluginLineLimits.word),
                    fault: try choice("fault", of: Fault.self),
                    hint: try text("hint")
                )
            )
        case "end": .end(try endStatus(), message: try text("message", limit: PluginLineLimits.text))
        default: nil
        }
    }

    private func stageChange() throws(MalformedRecord) -> StageChange {
        guard let stage = try stageID("id") else { throw MalformedRecord("\"id\" is missing") }
        return StageChange(
            stage: stage,
            op: try choice("op", of: StageOperation.self)?.operation ?? .start,
            title: try text("title"),
            parent: try stageID("parent"),
            weight: has("weight") ? try positive("weight") : nil,
            status: try choice("status", of: StageStatus.self)?.status
        )
    }

    private func progress() throws(MalformedRecord) -> Progress {
        guard let current = try number("current") else { throw MalformedRecord("\"current\" is missing") }
        return Progress(
            stage: try stageID("stage"),
            current: current,
            total: has("total") ? try positive("total") : nil,
            unit: try text("unit", limit: PluginLineLimits.word),
            text: try text("text")
        )
    }

    private func logLine() throws(MalformedRecord) -> LogLine {
        LogLine(
            stream: .plugin,
            stage: try stageID("stage"),
            text: try text("text", limit: PluginLineLimits.line) ?? "",
            level: try choice("level", of: LogLevel.self)?.rawValue
        )
    }

    private func diagnostic() throws(MalformedRecord) -> Diagnostic {
        var diagnostic = Diagnostic(
            severity: try choice("severity", of: Severity.self)?.severity ?? .error,
            message: try required("message", limit: PluginLineLimits.text),
            file: try text("file"),
            line: try integer("line", in: 0...1_000_000_000),
            column: try integer("column", in: 0...1_000_000_000),
            code: try text("code", limit: PluginLineLimits.word)
        )
        diagnostic.hint = try text("hint")
        diagnostic.url = try text("url")
        diagnostic.stage = try stageID("stage")
        return diagnostic
    }

    private func execRequest() throws(MalformedRecord) -> ExecRequest {
        let script = try text("script", limit: PluginLineLimits.text)
        guard let argv = try texts("argv") ?? script.map({ ["sh", "-c", $0] }), argv.first?.isEmpty == false
        else { throw MalformedRecord("\"argv\" is missing") }
        guard script?.utf8.contains(0) != true else { throw MalformedRecord("NUL in a command") }
        var request = ExecRequest(id: try identifier("id"), argv: argv)
        request.directory = has("cwd") ? try relativePath("cwd") : nil
        request.environment = try textMap("env")
        request.stage = try stageID("stage")
        request.timeout = has("timeout") ? .milliseconds(Int64(try positive("timeout") * 1_000)) : nil
        request.silence = has("silence") ? .milliseconds(Int64(try positive("silence") * 1_000)) : nil
        request.input = try text("stdin", limit: PluginLineLimits.text)
        request.tail = try integer("tail", in: 0...PluginLineLimits.tail) ?? request.tail
        return request
    }

    private func maskValue() throws(MalformedRecord) -> String {
        let value = try required("value", limit: PluginLineLimits.text)
        guard value.utf8.count >= PluginLineLimits.shortestMask
        else { throw MalformedRecord("a mask has at least \(PluginLineLimits.shortestMask) bytes") }
        return value
    }

    private func artifactRule() throws(MalformedRecord) -> ArtifactRule {
        ArtifactRule(
            path: try relativePath("path"),
            role: try choice("role", of: ArtifactRole.self) ?? .other,
            title: try text("title")
        )
    }

    private func previewRule() throws(MalformedRecord) -> PreviewRule {
        let start = try texts("start")
        guard start?.isEmpty != true else { throw MalformedRecord("\"start\" is empty") }
        guard has("root") || start != nil else { throw MalformedRecord("\"root\" or \"start\" is missing") }
        let root = has("root") ? try relativePath("root") : nil
        return PreviewRule(root: root, spa: try bool("spa") ?? false, start: start)
    }

    private func endStatus() throws(MalformedRecord) -> PluginRecord.EndStatus {
        if let flag = try? bool("ok") { return flag ? .ok : .failed }
        switch try text("ok", limit: PluginLineLimits.word) {
        case "ok", nil: return .ok
        case "failed": return .failed
        default: throw MalformedRecord("\"ok\" is neither true nor false")
        }
    }

    private func positive(_ key: String) throws(MalformedRecord) -> Double {
        guard let number = try number(key) else { throw MalformedRecord("\"\(key)\" is missing") }
        guard number > 0 else { throw MalformedRecord("\"\(key)\" is not above 0") }
        return number
    }

    private func stageID(_ key: String) throws(MalformedRecord) -> StageID? {
        has(key) ? StageID(rawValue: try identifier(key)) : nil
    }

    /// An id: `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`.
    func identifier(_ key: String) throws(MalformedRecord) -> String {
        let text = try required(key, limit: PluginLineLimits.word)
        let isValid = text.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): index > 0
            default: false
            }
        }
        guard isValid else { throw MalformedRecord("\"\(key)\" is not an id") }
        return text
    }

    private func relativePath(_ key: String) throws(MalformedRecord) -> RelativePath {
        let text = try required(key)
        do throws(PathProblem) {
            return try RelativePath(parsing: text)
        } catch {
            throw MalformedRecord("\"\(key)\" \(error.explanation)")
        }
    }
}

private enum StageOperation: String, CaseIterable {
    case start
    case end
    case skip

    var operation: StageChange.Operation {
        switch self {
        case .start: .start
        case .end: .end
        case .skip: .skip
        }
    }
}

private enum StageStatus: String, CaseIterable {
    case ok
    case failed

    var status: StageChange.Status { self == .ok ? .ok : .failed }
}

private enum LogLevel: String, CaseIterable {
    case debug
    case info
    case warning
    case error
}

private enum Severity: String, CaseIterable {
    case error
    case warning
    case note

    var severity: Diagnostic.Severity {
        switch self {
        case .error: .error
        case .warning: .warning
        case .note: .note
        }
    }
}
