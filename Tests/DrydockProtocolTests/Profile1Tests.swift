// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockProtocol

@Suite("Wire profile 1")
struct Profile1Tests {
    private static let build = BuildID(rawValue: "b_1")
    private static let attempt = AttemptID(rawValue: "a_1")

    @Test(
        "a registration says which builds go on from where",
        arguments: [
            (#"{"features":["events"]}"#, StreamWish()),
            (#"{"features":["later","resume"],"from":"start"}"#, StreamWish(wantsAll: true)),
            (
                #"{"features":["events"],"from":"now","builds":{"b_1":{"epoch":"a_1","seq":7},"b_2":{"seq":0}}}"#,
                StreamWish(positions: [
                    build: .init(epoch: attempt, seq: 7), BuildID(rawValue: "b_2"): .init(epoch: nil, seq: 0),
                ])
            ),
            (#"{"features":["events"],"since":"b_9"}"#, StreamWish(since: BuildID(rawValue: "b_9"))),
            (#"{"features":["later"]}"#, nil), (#"{"features":"events"}"#, nil), (#"{}"#, nil), (#"7"#, nil),
        ]
    )
    func wishes(data: String, wish: StreamWish?) throws {
        let message = #"{"type":"INIT","session_id":"s","data":\#(data)}"#
        #expect(try ClientMessage.decode(Array(message.utf8)) == .register(SessionID(rawValue: "s"), wish))
    }

    @Test(
        "a position that is none is refused, not guessed",
        arguments: [
            #""builds":[]"#, #""builds":{"b_1":7}"#, #""builds":{"b_1":{"seq":-1,"epoch":"a_1"}}"#,
            #""builds":{"b_1":{"seq":1.5,"epoch":"a_1"}}"#, #""builds":{"b_1":{"seq":3}}"#,
            #""builds":{"b_1":{"seq":3,"epoch":7}}"#, #""builds":{"b_1":{"epoch":"a_1"}}"#,
            #""from":"middle""#,
            #""builds":{"b_1":{"seq":3,"epoch":""}}"#,
        ]
    )
    func refusals(data: String) {
        let message = #"{"type":"INIT","session_id":"s","data":{"features":["events"],\#(data)}}"#
        #expect(throws: ClientMessageError.badPosition) { try ClientMessage.decode(Array(message.utf8)) }
    }

    @Test("more builds than there may be are refused")
    func tooMany() {
        let builds = (0...StreamWish.mostBuilds).map { #""b_\#($0)":{"seq":0}"# }.joined(separator: ",")
        let message =
            #"{"type":"INIT","session_id":"s","data":{"features":["events"],"builds":{\#(builds)}}}"#
        #expect(throws: ClientMessageError.badPosition) { try ClientMessage.decode(Array(message.utf8)) }
    }

    @Test("records stand in a message exactly as they stand in the journal, known kinds or not")
    func verbatim() throws {
        let lines = [
            #"{"seq":4,"kind":"of the future","x":[1,{}]}"#, #"{"seq":5,"kind":"log","text":"a\u001bb"}"#,
        ]
        let message = Profile1Message.events(
            Self.build,
            Self.attempt,
            [(4, Array(lines[0].utf8)), (5, Array(lines[1].utf8))]
        )
        let envelope = Envelope(
            id: "i",
            at: Timestamp(milliseconds: 1_500),
            session: SessionID(rawValue: "s")
        )
        let text = String(decoding: message.encoded(in: envelope), as: UTF8.self)
        let data =
            #"{"build_id":"b_1","attempt":"a_1","first":4,"seq":5,"records":[\#(lines[0]),\#(lines[1])]}"#
        let whole = #"{"id":"i","type":"build_event","data":\#(data),"timestamp":1.500,"session_id":"s"}"#
        #expect(text == whole)
    }

    @Test("what is known of a build begins anew with another attempt, but for its lines")
    func attempts() throws {
        var picture = BuildPicture(build: Self.build, project: ProjectName(rawValue: "p"), title: "t")
        apply(
            [.started(Started(number: 1, level: .full, missing: [])), log("one")],
            Self.attempt,
            to: &picture
        )
        apply([.estimate(Estimate(percent: 50))], Self.attempt, after: 2, to: &picture)
        let before = picture.revision
        apply([log("two")], AttemptID(rawValue: "a_2"), to: &picture)
        #expect(picture.cursor == Cursor(attempt: AttemptID(rawValue: "a_2"), seq: 1))
        #expect(picture.estimate == nil && picture.lines.texts == [QuotedText("one"), QuotedText("two")])
        #expect(picture.revision > before)
        let quiet = picture.revision
        apply([log("three")], AttemptID(rawValue: "a_2"), after: 1, to: &picture)
        #expect(picture.revision == quiet, "a line is told by its record alone")
    }

    private func log(_ text: String) -> Event { .log(LogLine(stream: .out, text: text)) }

    private func apply(
        _ events: [Event],
        _ attempt: AttemptID,
        after seq: UInt64 = 0,
        to picture: inout BuildPicture
    ) {
        for (index, event) in events.enumerated() {
            let record = JournalRecord(
                seq: seq + UInt64(index) + 1,
                at: Timestamp(milliseconds: 1),
                build: Self.build,
                attempt: attempt,
                via: .host,
                step: nil,
                event: event
            )
            var bytes: [UInt8] = []
            JournalCodec.encode(record, into: &bytes)
            picture.apply(bytes, of: attempt, seq: record.seq)
        }
    }
}
