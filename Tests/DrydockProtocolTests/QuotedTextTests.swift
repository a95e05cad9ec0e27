// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import Testing

@testable import DrydockProtocol

extension QuotedText: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(text) }

    /// As a JSON parser reads it.
    var text: String {
        (try? JSONDecoder().decode(String.self, from: Data(bytes)))
            ?? "no JSON: \(String(decoding: bytes, as: UTF8.self))"
    }
}

@Suite("texts that pass from the journal to the wire as they are")
struct QuotedTextTests {
    /// A log record around a text as it would stand on its line.
    private static func line(_ quoted: some Sequence<UInt8>) -> [UInt8] {
        let head =
            #"{"seq":1,"ts":1766000000.000,"build":"b_1","attempt":"a_1","kind":"log","v":1,"via":"observed","#
        return Array((head + #""step":"main","stream":"out","text":"#).utf8) + quoted + Array("}".utf8)
    }

    private static let awkward: [String] = [
        "\"", "\\", "\n", "\r", "\t", "\u{0}", "\u{1B}", "\u{1F}", "\u{7F}", "é", "\u{2027}", "\u{2028}",
        "\u{2029}",
        "\u{202A}", "€", "\u{FFFD}", "🚀", "x",
    ]

    @Test("what the journal's writer wrote is taken as it stands", arguments: 1...200)
    func passed(seed: UInt64) {
        var records = RandomRecords(seed: seed)
        var record = records.record(.log)
        record.step = StepID(rawValue: "main")
        let text = records.text()
        record.event = .log(LogLine(stream: .out, text: text))
        var line: [UInt8] = []
        JournalCodec.encode(record, into: &line)
        // A time before 1970 has a sign, which only the parser reads.
        guard record.at.milliseconds >= 0 else { return }
        #expect(LogRecordScanner.text(of: line) == QuotedText(text))
    }

    @Test("an escape is taken exactly when the journal's writer writes it so")
    func escapes() throws {
        var taken = 0
        for code in UInt16.min...UInt16.max {
            for format in ["%04x", "%04X"] {
                let escape = #"\u"# + String(format: format, code)
                let quoted = LogRecordScanner.text(of: Self.line("\"a\(escape)b\"".utf8))
                let text = Unicode.Scalar(code).map { QuotedText("a\(Character($0))b") }
                let isOurs = text.map { $0.bytes.elementsEqual("\"a\(escape)b\"".utf8) } ?? false
                guard (quoted != nil) != isOurs || (quoted != nil && quoted != text) else {
                    taken += isOurs ? 1 : 0
                    continue
                }
                Issue.record("\(escape)")
            }
        }
        // 29 control characters without a letter (19 of them without a letter in their number: twice), two separators.
        #expect(taken == 29 + 19 + 2 + 2)
        for letter in UInt8.min...UInt8.max {
            let isOurs = [0x22, 0x5C, UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t")].contains(
                letter
            )
            let taken = LogRecordScanner.text(of: Self.line([0x22, 0x5C, letter, 0x22]))
            #expect((taken != nil) == isOurs, "\\\(letter)")
        }
    }

    @Test(
        "what is not text, or not written by us, is left to the parser",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xE2, 0x80, 0x22], [0x22, 0x01, 0x22], [0x22, 0xE2, 0x80, 0xA8, 0x22],
            [0x22, 0x5C, 0x22], [0x22, 0x5C, 0x75, 0x30, 0x30, 0x22], [0x22], [],
            [0x22, 0xED, 0xA0, 0x80, 0x22],
        ] as [[UInt8]]
    )
    func refused(quoted: [UInt8]) {
        #expect(LogRecordScanner.text(of: Self.line(quoted)) == nil)
    }

    @Test(
        "a cut never parts an escape or a code point, and is where the text's own cut would be",
        arguments: awkward
    )
    func clips(piece: String) {
        let limit = 64
        for before in 0...80 {
            for mixed in ["", "\"", "é", "🚀"] {
                let text = String(repeating: "x", count: before) + String(repeating: piece + mixed, count: 40)
                let clipped = QuotedText(text).clipped(to: limit)
                #expect(clipped.text == Self.clipped(text, to: limit))
                #expect(clipped == QuotedText(clipped.text), "cut text is written as any other")
            }
        }
    }

    @Test("a text of just the limit stays whole, and one more byte does not")
    func bounds() {
        for piece in Self.awkward {
            let size = piece.utf8.count
            let whole = String(repeating: piece, count: 12 / size)
            #expect(QuotedText(whole).clipped(to: 12).text == whole)
            #expect(QuotedText(whole + "x").clipped(to: 12).text.hasSuffix("…"))
        }
    }

    /// The same cut, made in the text.
    private static func clipped(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var kept = String.UnicodeScalarView()
        var length = 0
        for scalar in text.unicodeScalars {
            length += UTF8.width(scalar)
            guard length <= limit - 3 else { break }
            kept.append(scalar)
        }
        return String(kept) + "…"
    }
}
