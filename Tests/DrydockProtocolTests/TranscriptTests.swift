// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import Testing

/// Bytes in, lines and records out: one folder a case under `Tests/Fixtures/transcripts`.
///
/// `in` is read in pieces of one byte, seven bytes and all at once; `out` is what must come of it every time.
@Suite("plugin line transcripts")
struct TranscriptTests {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/transcripts")

    static var cases: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []
    }

    @Test("there are transcripts")
    func found() {
        #expect(Self.cases.count >= 8)
    }

    @Test("a transcript reads the same however it is cut", arguments: cases, [1, 7, Int.max])
    func transcript(name: String, piece: Int) throws {
        let folder = Self.folder.appending(path: name)
        let input = [UInt8](try Data(contentsOf: folder.appending(path: "in")))
        let expected = try String(contentsOf: folder.appending(path: "out"), encoding: .utf8)
        var lines: [String] = []
        var splitter = LineSplitter()
        for start in stride(from: 0, to: input.count, by: min(piece, max(1, input.count))) {
            let chunk = Array(input[start..<min(input.count, start + min(piece, input.count))])
            chunk.withUnsafeBytes { bytes in splitter.push(bytes) { lines.append(Self.describe($0)) } }
        }
        splitter.finish { lines.append(Self.describe($0)) }
        #expect(lines.map { $0 + "\n" }.joined() == expected)
    }

    private static func describe(_ segment: OutputSegment) -> String {
        let text = Masker().text(of: segment)
        guard segment.end == .line, segment.startsLine, PluginLineDecoder.isRecord(segment.bytes) else {
            let kind = segment.end == .overwritten ? "seen" : segment.isRepeated ? "line (seen)" : "line"
            return "\(kind) |\(visible(text))|"
        }
        switch PluginLineDecoder.decode(Array(segment.bytes)) {
        case .record(let record): return "record \(RecordText.describe(record))"
        case .unknown(let type): return "unknown \(type)"
        case .malformed(let reason): return "malformed: \(reason)"
        case .log: return "log?"
        }
    }

    private static func visible(_ text: String) -> String {
        text.unicodeScalars.map { $0.value < 0x20 ? "<\($0.value)>" : String($0) }.joined()
    }
}

/// A record in one line, for transcripts.
enum RecordText {
    static func describe(_ record: PluginRecord) -> String {
        switch record {
        case .hello(let version): "hello \(version)"
        case .stage(let change):
            fields(
                "stage \(change.op) \(change.stage)",
                [
                    ("title", change.title), ("parent", change.parent?.rawValue),
                    ("weight", change.weight?.description),
                    ("status", change.status?.rawValue),
                ]
            )
        case .progress(let progress):
            fields(
                "progress \(progress.current)",
                [
                    ("total", progress.total?.description), ("stage", progress.stage?.rawValue),
                    ("unit", progress.unit),
                    ("text", progress.text),
                ]
            )
        case .expect(let stage, let total): "expect \(total) stage=\(stage?.rawValue ?? "-")"
        case .log(let line): fields("log", [("level", line.level), ("text", line.text)])
        case .diag(let diagnostic):
            fields(
                "diag \(diagnostic.severity)",
                [
                    ("file", diagnostic.file), ("line", diagnostic.line?.description),
                    ("column", diagnostic.column?.description), ("message", diagnostic.message),
                    ("hint", diagnostic.hint),
                ]
            )
        case .exec(let request):
            fields(
                "exec \(request.id) \(request.argv)",
                [
                    ("cwd", request.directory?.rawValue), ("stage", request.stage?.rawValue),
                    ("env", request.environment.isEmpty ? nil : "\(request.environment)"),
                    ("timeout", request.timeout.map { "\($0.milliseconds)ms" }), ("tail", "\(request.tail)"),
                ]
            )
        default: describeDeclaration(record)
        }
    }

    private static func describeDeclaration(_ record: PluginRecord) -> String {
        switch record {
        case .output(let key, let value): "output \(key)=\(value)"
        case .mask(let value): "mask \(value)"
        case .artifact(let rule): fields("artifact \(rule.path) \(rule.role)", [("title", rule.title)])
        case .preview(let rule): "preview root=\(rule.root ?? "-") spa=\(rule.spa) start=\(rule.start ?? [])"
        case .notice(let title, let markdown): "notice \(title) |\(markdown)|"
        case .willFail(let reason): "will_fail \(reason)"
        case .error(let error):
            fields(
                "error",
                [("code", error.code), ("fault", error.fault?.rawValue), ("message", error.message)]
            )
        case .end(let status, let message): fields("end \(status)", [("message", message)])
        default: "?"
        }
    }

    private static func fields(_ start: String, _ fields: [(String, String?)]) -> String {
        fields.reduce(start) { text, field in
            field.1.map { "\(text) \(field.0)=\($0.replacing("\n", with: "<10>"))" } ?? text
        }
    }
}
