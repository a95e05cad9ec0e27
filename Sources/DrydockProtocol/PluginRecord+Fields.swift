// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

extension PluginRecord {
    /// The fields of each type, as docs/plugin-protocol.md has them: others are passed over.
    package static let fields: [String: [String]] = [
        "hello": ["protocol"],
        "stage": ["id", "op", "title", "parent", "weight", "status"],
        "progress": ["current", "total", "stage", "unit", "text"],
        "expect": ["total", "stage"],
        "log": ["text", "level", "stage"],
        "diag": [
            "message", "severity", "file", "line", "column", "code", "hint", "url", "stage",
        ],
        "exec": [
            "id", "argv", "cwd", "env", "stage", "timeout", "silence", "stdin", "tail", "observer", "streams",
        ],
        "output": ["key", "value"],
        "mask": ["value"],
        "artifact": ["path", "role", "title"],
        "preview": ["root", "spa", "start"],
        "notice": ["title", "markdown"],
        "will_fail": ["reason"],
        "error": ["message", "code", "fault", "hint"],
        "end": ["ok", "message"],
    ]

    /// The record's type, as `t` has it.
    package var type: String {
        switch self {
        case .hello: "hello"
        case .stage: "stage"
        case .progress: "progress"
        case .expect: "expect"
        case .log: "log"
        case .diag: "diag"
        case .exec: "exec"
        case .output: "output"
        case .mask: "mask"
        case .artifact: "artifact"
        case .preview: "preview"
        case .notice: "notice"
        case .willFail: "will_fail"
        case .error: "error"
        case .end: "end"
        }
    }

    /// What the short form calls a field that has no name in the other one.
    private static let shortOnly = ["exec": "script"]

    /// Its fields that nobody reads, each with the nearest that is read; none of a line that can not be read at all.
    package static func strangers(of line: [UInt8]) -> [FieldProblem] {
        guard let reader = try? RecordReader(body: Array(line.dropFirst(4))), let known = fields[reader.type]
        else { return [] }
        return reader.fields.values.keys.sorted().compactMap { key in
            guard key != "t", key != shortOnly[reader.type], !known.contains(key) else { return nil }
            return .unknownKey(key, of: "the record '\(reader.type)'", among: known)
        }
    }
}
