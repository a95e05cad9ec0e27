// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads `log` records exactly as `JournalCodec` writes them: nine in ten records, at a tenth of a JSON parser's cost.
///
/// Anything that differs in the least is left to the parser.
enum LogRecordScanner {
    /// A `log` record around its text.
    private struct Frame<Text> {
        let head: RecordHead.Fields
        let via: Via
        let step: StepID?
        let stream: LogLine.Stream
        let stage: Range<Int>?
        let text: Text
        let level: Range<Int>?
    }

    /// nil when the line is no log record, or not written by us.
    static func scan(_ bytes: [UInt8]) -> JournalRecord? {
        bytes.withUnsafeBufferPointer { line in
            guard isText(bytes), let frame = read(line, { $0.escapedString() }),
                let head = RecordHead(frame.head, of: line)
            else { return nil }
            return JournalRecord(
                seq: head.seq,
                at: head.at,
                build: head.build,
                attempt: head.attempt,
                via: frame.via,
                step: frame.step,
                event: .log(
                    LogLine(
                        stream: frame.stream,
                        stage: frame.stage.map { StageID(rawValue: text(line, $0)) },
                        text: frame.text,
                        level: frame.level.map { text(line, $0) }
                    )
                )
            )
        }
    }

    /// The text of a log record as it stands on its line; nil as for `scan`.
    static func text(of line: [UInt8]) -> QuotedText? {
        let range = line.withUnsafeBufferPointer { read($0, { $0.writtenString() })?.text }
        guard let range, isText(line) else { return nil }
        return QuotedText(written: line[range])
    }

    private static func read<Text>(
        _ line: UnsafeBufferPointer<UInt8>,
        _ readText: (inout LineScanner) -> Text?
    ) -> Frame<Text>? {
        var scanner = LineScanner(line)
        guard let head = RecordHead.Fields(&scanner), scanner.isEqual(head.kind, "log"),
            scanner.skip(#","v":1,"via":""#), let via: Via = scanner.name()
        else { return nil }
        let step = scanner.optionalField(#","step":""#).map { StepID(rawValue: text(line, $0)) }
        // A step that is none: the parser says so.
        if case .some(nil) = step { return nil }
        guard scanner.skip(#","stream":""#),
            let stream: LogLine.Stream = scanner.name()
        else { return nil }
        let stage = scanner.optionalField(#","stage":""#)
        guard scanner.skip(#","text":""#), let text = readText(&scanner) else { return nil }
        let level = scanner.optionalField(#","level":""#)
        guard scanner.skip("}"), scanner.isAtEnd else { return nil }
        return Frame(
            head: head,
            via: via,
            step: step ?? nil,
            stream: stream,
            stage: stage,
            text: text,
            level: level
        )
    }

    private static func text(_ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: line[range], as: UTF8.self)
    }

    /// Whether `bytes` are UTF-8: asked once for a line, not for each of its fields.
    private static func isText(_ bytes: [UInt8]) -> Bool {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return true
        } catch {
            return false
        }
    }
}
