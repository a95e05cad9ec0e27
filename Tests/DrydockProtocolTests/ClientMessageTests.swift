// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockProtocol

@Suite("What /ws clients say")
struct ClientMessageTests {
    @Test(
        "well-formed messages",
        arguments: [
            (#"{"type":"INIT","session_id":"s"}"#, ClientMessage.register(SessionID(rawValue: "s"), nil)),
            (
                #"{"type":"USER","session_id":"s","content":"build it","x":1}"#,
                .register(SessionID(rawValue: "s"), nil)
            ),
            (#"{"type":"CANCEL"}"#, .cancel(nil)),
            (#"{"type":"CANCEL","build_id":"b_1"}"#, .cancel(BuildID(rawValue: "b_1"))),
            (#"{"type":"RETRY","data":{"build_id":"b_1"}}"#, .retry(BuildID(rawValue: "b_1"))),
            (#"{"type":"PING"}"#, .ping),
        ]
    )
    func good(text: String, message: ClientMessage) throws {
        #expect(try ClientMessage.decode(Array(text.utf8)) == message)
    }

    @Test(
        "malformed messages are values, not traps",
        arguments: [
            ("", ClientMessageError.notJSON), ("this is not JSON", .notJSON), ("[1]", .notJSON),
            ("null", .notJSON),
            ("{}", .noType), (#"{"type":7}"#, .noType), (#"{"type":"NOPE"}"#, .unknownType("NOPE")),
            (#"{"type":"INIT"}"#, .badSession), (#"{"type":"INIT","session_id":7}"#, .badSession),
            (#"{"type":"INIT","session_id":""}"#, .badSession),
            (#"{"type":"INIT","session_id":"a\nb"}"#, .badSession),
            (#"{"type":"CANCEL","build_id":7}"#, .badBuild),
            (String(repeating: "[", count: 200_000), .notJSON),
            (String(repeating: #"{"a":"#, count: 20_000), .notJSON),
        ]
    )
    func bad(text: String, error: ClientMessageError) {
        #expect(throws: error) { try ClientMessage.decode(Array(text.utf8)) }
    }

    @Test("a session id has at most 200 bytes")
    func longSession() {
        #expect(SessionID(checking: String(repeating: "s", count: 200)) != nil)
        #expect(SessionID(checking: String(repeating: "s", count: 201)) == nil)
    }
}
