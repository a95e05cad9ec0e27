// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockProtocol

@Suite("Records that are encoded together")
struct RecordBatchTests {
    @Test("are the same bytes as each by itself", arguments: [StepID(rawValue: "main"), nil])
    func same(step: StepID?) throws {
        let texts = [
            "", "plain", "quo\"te \\ and \u{1B}[31m \u{2028} ü", String(repeating: "x", count: 9_000),
        ]
        var events: [Event] = texts.map { .log(LogLine(stream: .out, text: $0)) }
        events += texts.map { .log(LogLine(stream: .err, stage: StageID(rawValue: "s\"1"), text: $0)) }
        events += texts.map { .log(LogLine(stream: .err, stage: StageID(rawValue: "s2"), text: $0)) }
        events += [.log(LogLine(stream: .host, text: "loud", level: "warning")), .willFail(reason: "x")]
        events += texts.map { .log(LogLine(stream: .out, text: $0)) }
        let frame = RecordFrame(
            at: Timestamp(milliseconds: 1_766_000_000_123),
            build: BuildID(rawValue: "b_1"),
            attempt: AttemptID(rawValue: "a_1"),
            via: .observed,
            step: step
        )
        var together: [UInt8] = []
        JournalCodec.encode(events, from: 9_998, in: frame, into: &together)
        var alone: [UInt8] = []
        for (index, event) in events.enumerated() {
            let record = JournalRecord(
                seq: 9_998 + UInt64(index),
                at: frame.at,
                build: frame.build,
                attempt: frame.attempt,
                via: frame.via,
                step: step,
                event: event
            )
            JournalCodec.encode(record, into: &alone)
            alone.append(0x0A)
        }
        #expect(String(decoding: together, as: UTF8.self) == String(decoding: alone, as: UTF8.self))
    }
}
