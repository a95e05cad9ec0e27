// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What the records of one batch have in common.
package struct RecordFrame: Sendable {
    package var at: Timestamp
    package var build: BuildID
    package var attempt: AttemptID
    package var via: Via
    package var step: StepID?

    package init(at: Timestamp, build: BuildID, attempt: AttemptID, via: Via, step: StepID?) {
        self.at = at
        self.build = build
        self.attempt = attempt
        self.via = via
        self.step = step
    }

    fileprivate func record(_ event: Event, seq: UInt64) -> JournalRecord {
        JournalRecord(
            seq: seq,
            at: at,
            build: build,
            attempt: attempt,
            via: via,
            step: step,
            event: event
        )
    }
}

extension JournalCodec {
    /// Appends a record for each of `events`, numbered from `first` on, each with its line feed.
    ///
    /// Lines of a log, nine records in ten, differ in their number and text alone: the rest is encoded once for all.
    package static func encode(
        _ events: [Event],
        from first: UInt64,
        in frame: RecordFrame,
        into bytes: inout [UInt8]
    ) {
        var common: CommonPart?
        for (index, event) in events.enumerated() {
            let seq = first + UInt64(index)
            if case .log(let line) = event, line.level == nil {
                let part = common.flatMap { $0.fits(line) ? $0 : nil } ?? CommonPart(of: line, in: frame)
                part.append(line.text, seq: seq, to: &bytes)
                common = part
            } else {
                encode(frame.record(event, seq: seq), into: &bytes)
            }
            bytes.append(0x0A)
        }
    }
}

/// A log record without its number and its text.
private struct CommonPart {
    private static let start = Array(#"{"seq":"#.utf8)
    private static let end = Array("\"\"}".utf8)

    private let stream: LogLine.Stream
    private let stage: StageID?
    /// From behind the number to before the text.
    private let middle: [UInt8]

    /// Encodes one without text, so that there is one writer of what a record is.
    init(of line: LogLine, in frame: RecordFrame) {
        (stream, stage) = (line.stream, line.stage)
        var bytes: [UInt8] = []
        let empty = LogLine(stream: line.stream, stage: line.stage, text: "")
        JournalCodec.encode(frame.record(.log(empty), seq: 0), into: &bytes)
        middle = Array(bytes.dropFirst(Self.start.count + 1).dropLast(Self.end.count))
    }

    func fits(_ line: LogLine) -> Bool { stream == line.stream && stage == line.stage }

    func append(_ text: String, seq: UInt64, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Self.start)
        JSONText.appendDecimal(seq, to: &bytes)
        bytes.append(contentsOf: middle)
        JSONText.appendQuoted(text, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }
}
