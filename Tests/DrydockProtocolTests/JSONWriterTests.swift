// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test(
        "text is escaped only where it must be",
        arguments: [
            ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t", #""\n\r\t""#),
            ("\u{0}\u{1F}\u{7F}", "\"\\u0000\\u001f\u{7F}\""), ("\u{2028}|\u{2029}", #""\u2028|\u2029""#),
            ("\u{2027}\u{20AC}â", "\"\u{2027}\u{20AC}â\""), ("/", #""/""#),
            ("0123456\"", #""0123456\"""#), ("01234567\"", #""01234567\"""#),
        ]
    )
    func escapes(_ text: String, _ json: String) {
        #expect(written { $0.string(text) } == json)
    }

    @Test("every scalar survives at every place of a word", arguments: 0..<9)
    func everyPlace(_ offset: Int) throws {
        let scalars = (0...0x2FF).map { $0 } + Array(0x2000...0x2100) + [0xFFFD, 0x1F600, 0x10FFFF]
        let padding = String(repeating: "x", count: offset)
        for scalar in scalars.compactMap(Unicode.Scalar.init) {
            let text = padding + String(Character(scalar)) + "yyyyyyyyyy"
            let json = "[" + written { $0.string(text) } + "]"
            let back = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String])
            #expect(back.first.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test(
        "bytes that are no UTF-8 become U+FFFD",
        arguments: [
            ([0x61, 0xFF, 0x62], "a\u{FFFD}b"), ([0xE2, 0x80], "\u{FFFD}"),
            ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xE2, 0x28, 0xA1], "\u{FFFD}(\u{FFFD}"),
        ] as [([UInt8], String)]
    )
    func invalidUTF8(_ bytes: [UInt8], _ text: String) {
        #expect(written { $0.string(utf8: bytes) } == "\"\(text)\"")
    }

    @Test(
        "numbers read back the same",
        arguments: [
            0, -0.0, 1, -1, 0.1, 1e-300, 1.7976931348623157e308, Double.leastNonzeroMagnitude,
            9_007_199_254_740_992,
            123.456,
        ]
    )
    func numbers(_ value: Double) throws {
        let json = written { $0.number(value) }
        #expect(Double(json) == value)
        #expect(throws: Never.self) { try JSONDecoder().decode(Double.self, from: Data(json.utf8)) }
    }

    @Test("what JSON has no number for is null", arguments: [Double.nan, .infinity, -.infinity])
    func noNumber(_ value: Double) {
        #expect(written { $0.number(value) } == "null")
    }

    @Test(
        "thousandths have three places",
        arguments: [(0, "0.000"), (1, "0.001"), (-1, "-0.001"), (1_766_000_000_123, "1766000000.123")]
            as [(Int64, String)]
    )
    func thousandths(_ value: Int64, _ text: String) {
        #expect(written { $0.thousandths(value) } == text)
    }

    @Test("the extremes of integers are written")
    func extremes() {
        #expect(written { $0.integer(Int64.min) } == "-9223372036854775808")
        #expect(written { $0.integer(UInt64.max) } == "18446744073709551615")
    }

    @Test("commas come where they belong")
    func structure() {
        let text = written { writer in
            writer.object { writer in
                writer.field("none", nil as String?)
                writer.key("empty")
                writer.object { _ in }
                writer.field("list", ["a", "b"])
                writer.key(text: "q\"")
                writer.json(.array([.null, .object(["b": .number(1), "a": .array([])])]))
                writer.field("yes", true)
                writer.key("raw")
                writer.raw("{}".utf8)
            }
        }
        #expect(text == #"{"empty":{},"list":["a","b"],"q\"":[null,{"a":[],"b":1}],"yes":true,"raw":{}}"#)
    }
}
