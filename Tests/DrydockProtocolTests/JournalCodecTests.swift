// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Foundation
import Testing

@testable import DrydockProtocol

@Suite("The journal's encoder")
struct JournalEncoderCostTests {
    @Test("a record is added where the batch is: nothing of the batch is copied")
    func noCopies() {
        var batch: [UInt8] = []
        batch.reserveCapacity(1 << 20)
        let before = batch.withUnsafeBufferPointer { $0.baseAddress }
        for number in 1...1_000 as ClosedRange<UInt64> {
            let record = JournalRecord(
                seq: number,
                at: Timestamp(milliseconds: 1_766_000_000_000),
                build: BuildID(rawValue: "b_1"),
                attempt: AttemptID(rawValue: "a_1"),
                via: .observed,
                step: nil,
                event: .log(LogLine(stream: .out, text: "line"))
            )
            JournalCodec.encode(record, into: &batch)
        }
        #expect(batch.withUnsafeBufferPointer { $0.baseAddress } == before)
    }
}

@Suite("Journal codec")
struct JournalCodecTests {
    private func encoded(_ record: JournalRecord) -> [UInt8] {
        var bytes: [UInt8] = []
        JournalCodec.encode(record, into: &bytes)
        return bytes
    }

    @Test("a record reads back as it was written", arguments: EventKind.allCases)
    func roundTrip(_ kind: EventKind) throws {
        for seed in 0..<300 as Range<UInt64> {
            var random = RandomRecords(seed: seed)
            let record = random.record(kind)
            #expect(record.event.kind == kind)
            let bytes = encoded(record)
            #expect(
                try JournalCodec.decode(bytes) == record,
                "seed \(seed): \(String(decoding: bytes, as: UTF8.self))"
            )
        }
    }

    @Test("a record is one line of valid JSON in the documented order", arguments: EventKind.allCases)
    func oneLine(_ kind: EventKind) throws {
        for seed in 0..<50 as Range<UInt64> {
            var random = RandomRecords(seed: seed)
            let bytes = encoded(random.record(kind))
            #expect(!bytes.contains(0x0A) && !bytes.contains(0x0D))
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(bytes)) }
            let text = String(decoding: bytes, as: UTF8.self)
            let keys = [
                "{\"seq\":", "\"ts\":", "\"build\":", "\"attempt\":", "\"kind\":", "\"v\":1", "\"via\":",
            ]
            let places = keys.compactMap { text.range(of: $0)?.lowerBound }
            #expect(places.count == keys.count && places == places.sorted())
        }
    }

    @Test("a log line is read without a JSON parser, and the parser agrees")
    func fastPath() throws {
        for seed in 0..<500 as Range<UInt64> {
            var random = RandomRecords(seed: seed)
            var record = random.record(.log)
            record.at = Timestamp(milliseconds: 1_766_000_000_123 + Int64(seed))
            record.step = "s"
            record.event = .log(LogLine(stream: .out, stage: StageID(rawValue: "c"), text: random.text()))
            let bytes = encoded(record)
            #expect(LogRecordScanner.scan(bytes) == record)
            let parsed = try JournalCodec.parse(bytes)
            #expect(parsed == record)
        }
    }

    @Test("the bytes are what docs/events.md shows")
    func exampleLine() {
        let record = JournalRecord(
            seq: 4,
            at: Timestamp(milliseconds: 1_766_000_000_455),
            build: BuildID(rawValue: "b_1bc8q3k0f7ydm2zp"),
            attempt: AttemptID(rawValue: "a_1bc8q3k0gh5t9wxa"),
            via: .observed,
            step: "make",
            event: .log(
                LogLine(stream: .out, stage: StageID(rawValue: "configure"), text: "checking for gcc... gcc")
            )
        )
        let line =
            #"{"seq":4,"ts":1766000000.455,"build":"b_1bc8q3k0f7ydm2zp","attempt":"a_1bc8q3k0gh5t9wxa","#
            + #""kind":"log","v":1,"via":"observed","step":"make","stream":"out","stage":"configure","#
            + #""text":"checking for gcc... gcc"}"#
        #expect(String(decoding: encoded(record), as: UTF8.self) == line)
    }

    @Test("the head of a line tells seq and kind without the rest", arguments: EventKind.allCases)
    func head(_ kind: EventKind) throws {
        var random = RandomRecords(seed: 7)
        var record = random.record(kind)
        record.at = Timestamp(milliseconds: 1_766_000_000_001)
        let head = try #require(JournalCodec.head(of: encoded(record)))
        #expect(head.seq == record.seq && head.kind == kind.rawValue && head.at == record.at)
        #expect(head.build == record.build && head.attempt == record.attempt)
    }

    private static let prefix = #"{"seq":1,"ts":1.000,"build":"b","attempt":"a","#

    @Test(
        "what a newer version wrote is passed over, not an error",
        arguments: [
            #""kind":"telepathy","v":1,"via":"host","x":{}}"#,
            #""kind":"log","v":2,"via":"host","lines":["a"]}"#,
        ]
    )
    func newer(_ rest: String) throws {
        #expect(try JournalCodec.decode(Array((Self.prefix + rest).utf8)) == nil)
    }

    @Test("unknown fields are ignored, and the order of keys does not matter")
    func additive() throws {
        let line =
            #"{"text":"t","stream":"out","new":[1,{"a":null}],"kind":"log","v":1,"via":"host","#
            + #""attempt":"a","build":"b","ts":1.5,"seq":9}"#
        let record = try #require(try JournalCodec.decode(Array(line.utf8)))
        #expect(record.seq == 9 && record.at.milliseconds == 1_500)
        #expect(record.event == .log(LogLine(stream: .out, text: "t")))
    }

    @Test("an unknown failure code counts as internal")
    func unknownFailureCode() throws {
        let rest =
            #""kind":"finished","v":1,"via":"host","outcome":"failed","failure":{"code":"sunspots","fault":"user","#
            + #""message":"m"},"duration_ms":5}"#
        let record = try #require(try JournalCodec.decode(Array((Self.prefix + rest).utf8)))
        let outcome = Outcome(Failure(.internal, .user, "m"))
        #expect(record.event == .finished(Finished(outcome: outcome, duration: .milliseconds(5))))
    }

    @Test(
        "what is no record is refused, whatever it is",
        arguments: [
            "", "{", "null", "[]", "{}", "x", #"{"seq":-1}"#, #"{"seq":1,"ts":"1"}"#,
            prefix + #""kind":"log","v":1,"via":"host"}"#,
            prefix + #""kind":"log","v":1,"via":"nobody","stream":"out","text":"t"}"#,
            prefix + #""kind":"log","v":1,"via":"host","stream":"out","text":"t"}}"#,
            prefix + #""kind":"log","v":1,"via":"host","stream":"out","text":"t\ud800"}"#,
            #"{"seq":99999999999999999999,"ts":1.000,"build":"b","attempt":"a","kind":"log","v":1}"#,
        ]
    )
    func refused(_ line: String) {
        #expect(throws: JournalCodecError.self) { try JournalCodec.decode(Array(line.utf8)) }
    }

    @Test("random bytes and cut or flipped lines never crash the reader")
    func hostileBytes() {
        var generator = SeededGenerator(seed: 42)
        for seed in 0..<2_000 as Range<UInt64> {
            var random = RandomRecords(seed: seed)
            var bytes = encoded(random.record(seed % 2 == 0 ? .log : random.pick()))
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            if seed % 3 == 0 {
                bytes.removeSubrange(place...)
                #expect(throws: JournalCodecError.self) { try JournalCodec.decode(bytes) }
            } else {
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
                // Whether it still reads depends on the place; that it returns is the claim.
                _ = try? JournalCodec.decode(bytes)
                _ = JournalCodec.head(of: bytes)
            }
        }
    }
}
