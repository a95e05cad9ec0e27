// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A text as it stands in JSON: in quotes, escaped exactly as `JSONWriter` escapes.
///
/// Journal and wire have one writer, so a log line's text passes from one to the other as it is: a slice of
/// the journal's line, neither decoded nor encoded. Equal texts are equal bytes.
package struct QuotedText: Hashable, Sendable {
    /// Valid UTF-8, with the quotes.
    let bytes: ArraySlice<UInt8>

    /// Encodes `text`.
    package init(_ text: String) {
        var bytes: [UInt8] = []
        JSONText.appendQuoted(text, to: &bytes)
        self.bytes = bytes[...]
    }

    /// Takes over what `JSONWriter` wrote, or would have written just so.
    init(written bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var isEmpty: Bool { bytes.count == 2 }

    /// The text itself where it has at most `limit` bytes of UTF-8; else its beginning and `…`, together no more.
    ///
    /// It is cut between two code points, and never inside an escape.
    func clipped(to limit: Int) -> QuotedText {
        // No escape is shorter than what it stands for.
        guard bytes.count - 2 > limit else { return self }
        var index = bytes.startIndex + 1
        var cut = index
        var length = 0
        while index < bytes.endIndex - 1 {
            let next = codePoint(at: index)
            length += next.length
            guard length <= limit else { return QuotedText(written: bytes[..<cut] + "…\"".utf8) }
            index += next.written
            if length <= limit - "…".utf8.count { cut = index }
        }
        return self
    }

    /// How many bytes stand at `index` for one code point, and how many the code point has.
    private func codePoint(at index: Int) -> (written: Int, length: Int) {
        switch bytes[index] {
        case UInt8(ascii: "\\"):
            guard bytes[index + 1] == UInt8(ascii: "u") else { return (2, 1) }
            // U+2028 and U+2029, else a control character.
            return (6, bytes[index + 2] == UInt8(ascii: "2") ? 3 : 1)
        case ..<0x80: return (1, 1)
        case ..<0xE0: return (2, 2)
        case ..<0xF0: return (3, 3)
        default: return (4, 4)
        }
    }
}

extension JSONWriter {
    /// Writes the text as it is.
    mutating func quoted(_ text: QuotedText) { raw(text.bytes) }
}
