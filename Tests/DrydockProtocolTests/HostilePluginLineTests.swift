// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockTestSupport
import Testing

@Suite("hostile plugin lines")
struct HostilePluginLineTests {
    private func decode(_ text: String) -> PluginLine { PluginLineDecoder.decode(Array(text.utf8)) }

    private func isMalformed(_ line: PluginLine) -> Bool {
        if case .malformed = line { true } else { false }
    }

    @Test(
        "a number that is none, or too large a one, is malformed",
        arguments: [
            "NaN", "nan", "inf", "-inf", "Infinity", "-1", "1e400", "0x10", "+5", "1/0", "5/-1", "", "/",
            "5/NaN",
            String(repeating: "9", count: 400),
        ]
    )
    func numbers(text: String) {
        #expect(isMalformed(decode("@dd progress \(text)")))
        #expect(isMalformed(decode("@dd {\"t\":\"progress\",\"current\":\(text)}")))
    }

    @Test(
        "JSON that is not quite JSON is malformed",
        arguments: [
            "{", "{}", "{\"t\"}", "{\"t\":1}", "{\"t\":\"log\"", "{\"t\":\"log\"} x", "{\"t\":\"log\",}",
            "{\"t\":\"log\",\"t\":\"end\"}", "{\"t\":\"log\",\"text\":\"\\ud800\"}",
            "{\"t\":\"log\",\"text\":\"\\x\"}",
            "{\"t\":\"log\",\"text\":\"a\tb\"}", "{\"t\":\"progress\",\"current\":01}", "{'t':'log'}",
            "{\"t\":\"LOG\"}", "{\"t\":\"\"}",
        ]
    )
    func json(text: String) {
        #expect(isMalformed(decode("@dd " + text)))
    }

    @Test("nesting is bounded before it is followed", arguments: ["[", "{\"a\":"])
    func depth(open: String) {
        let deep = String(repeating: open, count: 15_000)
        #expect(isMalformed(decode("@dd {\"t\":\"log\",\"x\":" + deep)))
    }

    @Test("sixteen levels are taken, seventeen are not")
    func depthBoundary() {
        func nested(_ depth: Int) -> String {
            "@dd {\"t\":\"log\",\"text\":\"x\",\"y\":" + String(repeating: "[", count: depth - 1)
                + String(repeating: "]", count: depth - 1) + "}"
        }
        #expect(!isMalformed(decode(nested(16))))
        #expect(isMalformed(decode(nested(17))))
    }

    @Test("fields are bounded")
    func fields() {
        let short = (0..<300).map { "k\($0)=1" }.joined(separator: " ")
        #expect(isMalformed(decode("@dd log " + short)))
        let json = (0..<300).map { "\"k\($0)\":1" }.joined(separator: ",")
        #expect(isMalformed(decode("@dd {\"t\":\"log\",\(json)}")))
    }

    @Test("a line beyond 64 KiB is malformed")
    func longLine() {
        #expect(isMalformed(decode("@dd log -- " + String(repeating: "x", count: 64 << 10))))
        #expect(!isMalformed(decode("@dd log -- " + String(repeating: "x", count: 60 << 10))))
    }

    @Test(
        "bytes that are not UTF-8 make a record malformed",
        arguments: ["@dd log -- ", "@dd {\"t\":\"log\",\"text\":\""]
    )
    func encoding(start: String) {
        #expect(isMalformed(PluginLineDecoder.decode(Array(start.utf8) + [0xFF, 0xC0] + Array("\"}".utf8))))
        #expect(isMalformed(decode("@dd log level=%ff")))
        #expect(isMalformed(decode("@dd log level=%4")))
    }

    @Test("%XX is decoded once")
    func percent() {
        #expect(
            decode("@dd artifact a%2520b") == .record(.artifact(ArtifactRule(path: "a%20b", role: .other)))
        )
        #expect(decode("@dd will_fail -- 100%2520") == .record(.willFail(reason: "100%2520")))
    }

    @Test(
        "a path that leaves its directory is malformed",
        arguments: ["/etc/passwd", "..", "a/../../b", "%2e%2e/x", "%00"]
    )
    func paths(path: String) {
        #expect(isMalformed(decode("@dd artifact \(path)")))
        #expect(isMalformed(decode("@dd preview \(path)")))
    }

    @Test(
        "a marker anywhere but in column 0 is log text",
        arguments: [
            " @dd end ok", "@DD end ok", "@dd", "@ddend", "@dd\tend", "x@dd end ok", "\u{FEFF}@dd end ok",
        ]
    )
    func marker(text: String) {
        #expect(decode(text) == .log)
    }

    @Test("an exec without a command, with NUL or a strange id is malformed")
    func exec() {
        #expect(isMalformed(decode("@dd exec a")))
        #expect(isMalformed(decode("@dd {\"t\":\"exec\",\"id\":\"a\",\"argv\":[]}")))
        #expect(isMalformed(decode("@dd {\"t\":\"exec\",\"id\":\"a\",\"argv\":[\"a\\u0000b\"]}")))
        #expect(isMalformed(decode("@dd {\"t\":\"exec\",\"id\":\"a b\",\"argv\":[\"a\"]}")))
        #expect(
            isMalformed(decode("@dd {\"t\":\"exec\",\"id\":\"a\",\"argv\":[\"a\"],\"env\":{\"A=B\":\"c\"}}"))
        )
    }
}

@Suite("splitting and masking hostile output")
struct HostileOutputTests {
    @Test("200 MB without a newline stay within 64 KiB, and the loss is counted", .timeLimit(.minutes(1)))
    func endlessLine() {
        var splitter = LineSplitter()
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        var segments: [(Int, Int)] = []
        for _ in 0..<200 {
            chunk.withUnsafeBytes { bytes in
                splitter.push(bytes) { segments.append(($0.bytes.count, $0.dropped)) }
            }
        }
        #expect(segments.isEmpty)
        splitter.finish { segments.append(($0.bytes.count, $0.dropped)) }
        #expect(segments.count == 1)
        #expect(segments.first?.0 == 64 << 10)
        #expect(segments.first?.1 == (200 << 20) - (64 << 10))
    }

    private func lines(_ text: String, masks: [String] = []) -> [String] {
        var splitter = LineSplitter()
        let masker = Masker(masks)
        var lines: [String] = []
        Array(text.utf8).withUnsafeBytes { bytes in splitter.push(bytes) { lines.append(masker.text(of: $0)) }
        }
        splitter.finish { lines.append(masker.text(of: $0)) }
        return lines
    }

    @Test("a clipped line says so and ends with a whole character")
    func clipped() {
        let text = "x" + String(repeating: "é", count: 40_000)
        let line = lines(text).first
        #expect(line?.contains("\u{FFFD}") == false)
        #expect(line?.hasSuffix("[... 14465 more bytes of this line were dropped]") == true)
    }

    @Test("secrets are hidden, the longer one first, several lines one by one")
    func masks() {
        #expect(lines("a hunter22 b hunter2 c", masks: ["hunter2", "hunter22"]) == ["a *** b *** c"])
        #expect(
            lines("BEGIN-KEY\nabcdefgh\nxyz", masks: ["BEGIN-KEY\nabcdefgh\nxyz"]) == ["***", "***", "xyz"]
        )
        #expect(lines("abc", masks: ["abc"]) == ["abc"])
    }

    @Test("no half of a secret survives where a line is clipped")
    func clippedSecret() {
        let text = String(repeating: "x", count: (64 << 10) - 4) + "hunter22hunter22"
        #expect(lines(text, masks: ["hunter22"]).first?.contains("xh") == false)
    }
}

@Suite("host records")
struct HostRecordTests {
    @Test("every host record is one line of JSON that reads back")
    func oneLine() throws {
        let records: [HostRecord] = [
            .welcome, .execStart(id: "a"), .cancel(reason: "line\nbreak", deadline: .seconds(10)),
            .execEnd(
                ExecEnd(id: "a", exit: 2, duration: .milliseconds(1_532), tail: ["x\n\u{2028}", "\"", ""])
            ),
            .request(PluginRequest(verb: "run", directories: ["source": "/w/s"], files: ["a b"])),
        ]
        for record in records {
            let line = record.encoded()
            #expect(line.last == 0x0A)
            #expect(line.dropLast().firstIndex(of: 0x0A) == nil)
            #expect(try BoundedJSONReader.read(Array(line)).object != nil)
        }
        let end = try BoundedJSONReader.read(Array(records[3].encoded()))
        #expect(end["exit"] == .number(2))
        #expect(end["signal"] == .null)
        #expect(end["ms"] == .number(1_532))
        #expect(end["tail"]?.array?.first == .string("x\n\u{2028}"))
    }
}

@Suite("reasons why a line is no record")
struct MalformedReasonTests {
    @Test(
        "a reason never repeats what the plugin said: it may be a secret",
        arguments: [
            "@dd log s3cret -- x", #"@dd {"t":"error","message":"m","fault":"s3cret"}"#,
            "@dd progress s3cret",
            "@dd artifact s3cret/../..", "@dd stage s3cret/",
            #"@dd {"t":"exec","id":"a","argv":["a"],"env":{"s3cret":1}}"#,
            #"@dd {"t":"exec","id":"a","argv":["s3cret\u0000"]}"#,
        ]
    )
    func noEcho(line: String) throws {
        guard case .malformed(let reason) = PluginLineDecoder.decode(Array(line.utf8)) else {
            Issue.record("it is read")
            return
        }
        #expect(!reason.isEmpty && !reason.contains("s3cret"))
    }
}
