// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@Suite("numbers with units, and names")
struct QuantitiesTests {
    @Test(
        "sizes are read as drydock.yaml writes them, and written back",
        arguments: [
            ("512MiB", Int64(512 << 20)), ("2GiB", 2 << 30), ("64KiB", 64 << 10), ("10B", 10),
            ("1TiB", 1 << 40),
        ]
    )
    func size(text: String, bytes: Int64) {
        #expect(ByteCount(text: text) == ByteCount(bytes))
        #expect(ByteCount(bytes).description == text)
    }

    @Test(
        "what is no size is refused",
        arguments: ["", "MiB", "1.5GiB", "-1", "1mb", "1 GiB", "99999999999TiB", "１２", "9223372036854775808"]
    )
    func noSize(text: String) { #expect(ByteCount(text: text) == nil) }

    @Test("ids sort by the time they were made")
    func order() {
        let ids = (0..<200).map { BuildID.make(at: Timestamp(milliseconds: 1_700_000_000_000 + $0 * 7)) }
        #expect(ids == ids.sorted())
        #expect(ids.allSatisfy { $0.rawValue.count == 18 && $0.rawValue.hasPrefix("b_") })
        #expect(Set(ids).count == ids.count)
    }

    @Test("cursors are read back from their text, and nothing else is a cursor")
    func cursor() {
        let cursor = Cursor(attempt: AttemptID(rawValue: "a_1"), seq: 127)
        #expect(Cursor(text: cursor.description) == cursor)
        for text in ["", "a_1", "a_1:", ":7", "a_1:-1", "a_1:1:2", "a_1:18446744073709551616"] {
            #expect(Cursor(text: text) == nil, "\(text)")
        }
    }

    @Test("a digest knows its hexadecimal part")
    func digest() { #expect(Digest(rawValue: "sha256:ab12").hex == "ab12") }
}
