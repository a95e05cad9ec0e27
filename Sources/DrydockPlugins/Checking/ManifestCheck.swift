// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// What is wrong with a manifest: all that its reader refuses, and what it takes and can not mean.
struct ManifestCheck {
    private static let part = "manifest"
    private static let title = "the manifest"

    let bytes: [UInt8]
    let name: PluginName
    /// What findings call the file.
    let file: String
    /// Lines above it, where it stands in a script.
    var linesAbove = 0

    /// The findings, by their lines.
    func findings() -> [PluginFinding] {
        let document: Field
        do throws(FieldProblem) {
            document = try Manifest.document(bytes)
        } catch {
            return [finding(.error, error)]
        }
        var problems = EveryProblem.find(in: document, title: Self.title) { field throws(FieldProblem) in
            _ = try Manifest(field, name: name)
        }
        // Without a protocol of ours nothing else was read.
        if case .object(var fields) = document.value, problems.count == 1,
            !Self.isProtocol(fields["protocol"])
        {
            fields["protocol"] = .string(PluginRequest.protocolVersion)
            let rest = Field(.object(fields), Self.title, .document, places: document.places)
            problems += EveryProblem.find(in: rest, title: Self.title) { field throws(FieldProblem) in
                _ = try Manifest(field, name: name)
            }
        }
        var findings = problems.map { finding(.error, $0) }
        if problems.isEmpty, let manifest = try? Manifest(document, name: name) {
            findings += doubts(manifest, document)
        }
        return findings.enumerated().sorted {
            ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
        }
        .map(\.element)
    }

    private static func isProtocol(_ value: JSON?) -> Bool {
        guard let fields = value.map({ JSON.object(["protocol": $0]) }) else { return false }
        return (try? Manifest(Field(fields, title, .document), name: .script)) != nil
    }

    private func finding(_ severity: PluginFinding.Severity, _ problem: FieldProblem) -> PluginFinding {
        var problem = problem
        problem.line = (problem.line ?? 1) + linesAbove
        return PluginFinding(severity, Self.part, problem, file: file)
    }

    // MARK: What it can not mean

    private func doubts(_ manifest: Manifest, _ document: Field) -> [PluginFinding] {
        guard let fields = try? document.fields() else { return [] }
        return stages(manifest, fields) + detection(manifest, fields) + parameters(fields)
            + permits(manifest, fields) + newer(fields)
    }

    private func stages(_ manifest: Manifest, _ fields: Fields) -> [PluginFinding] {
        let elements = (try? fields["stages"]?.list()) ?? []
        return zip(manifest.stages, elements).compactMap { stage, field in
            guard !PluginLineDecoder.isID(stage.id.rawValue) else { return nil }
            let hint = "letters, digits, '.', '_' and '-', at most 64, the first a letter or a digit"
            return finding(
                .error,
                field.problem("has an id that no record can name: '\(stage.id)'", hint: hint)
            )
        }
    }

    private func detection(_ manifest: Manifest, _ fields: Fields) -> [PluginFinding] {
        let asks = manifest.kind == .driver && manifest.verbs.contains(.detect)
        guard let field = fields["detect"], manifest.detect.files.isEmpty, !asks else { return [] }
        let why = "'detect' recognises nothing: it has no 'files'"
        let hint =
            manifest.kind == .driver
            ? "name files, or add \"detect\" to 'verbs'"
            : "name files; without 'detect' it is used by name only"
        return [finding(.warning, FieldProblem(why, hint: hint, line: field.line))]
    }

    /// Rules that no value, or not the one that was meant, can keep.
    private func parameters(_ fields: Fields) -> [PluginFinding] {
        guard let rules = try? fields["config"]?.fields()["properties"]?.fields().all else { return [] }
        return rules.compactMap { key, field in
            guard let rule = try? ParameterRule(field) else { return nil }
            if let choices = rule.choices {
                if choices.isEmpty {
                    return finding(.error, field.problem("allows no value: its 'enum' is empty"))
                }
                var plain = rule
                plain.choices = nil
                if let bad = choices.first(where: { plain.mismatch($0) != nil }) {
                    let what =
                        "has the choice \(bad.shown), which should \(plain.mismatch(bad) ?? "be another")"
                    return finding(.error, field.problem(what))
                }
            }
            let isText = rule.kind == nil || rule.kind == .string
            guard !isText, rule.pattern != nil || rule.maxLength != nil else { return nil }
            let hint = "'pattern' and 'maxLength' are for the type string"
            return finding(.error, field.problem("bounds a text, and is none", hint: hint))
        }
    }

    private func permits(_ manifest: Manifest, _ fields: Fields) -> [PluginFinding] {
        guard !manifest.permits.secrets.isEmpty, let field = try? fields["permits"]?.fields()["secrets"]
        else {
            return []
        }
        let hint = "this version gives no secrets to plugins"
        return [finding(.warning, field.problem("asks for what nobody can grant", hint: hint))]
    }

    private func newer(_ fields: Fields) -> [PluginFinding] {
        guard let field = fields["protocol"], let version = try? field.text(),
            version != PluginRequest.protocolVersion
        else { return [] }
        let hint = "keys that this version does not know are passed over"
        let what = "is \(version); this version of Drydock speaks \(PluginRequest.protocolVersion)"
        return [finding(.note, field.problem(what, hint: hint))]
    }
}

extension JSON {
    /// As messages show it, clipped.
    fileprivate var shown: String {
        switch self {
        case .string(let text): "\"\(text.prefix(64))\""
        case .bool(let truth): "\(truth)"
        case .number(let number): "\(number)"
        case .whole(let number): "\(number)"
        case .null: "null"
        case .array: "a list"
        case .object: "a table"
        }
    }
}
