// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Writes JSON text straight into bytes, keys in the order they are given.
///
/// The result is compact, valid UTF-8, and safe to put on one line or into a page's script: control characters and
/// U+2028/U+2029 are escaped. Commas come by themselves. Source: RFC 8259, sections 4–7.
package struct JSONWriter {
    /// What was written so far.
    package private(set) var bytes: [UInt8]
    /// Whether the next key or element stands behind another one.
    private var followsValue = false

    /// Continues behind `bytes`, as a text of its own.
    package init(continuing bytes: consuming [UInt8] = []) { self.bytes = bytes }

    // MARK: Structure

    /// Writes an object whose fields `body` gives.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        followsValue = false
        body(&self)
        bytes.append(UInt8(ascii: "}"))
        followsValue = true
    }

    /// Writes an array with one element for each of `elements`, which `body` writes.
    package mutating func array<Element>(
        _ elements: some Sequence<Element>,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        separate()
        bytes.append(UInt8(ascii: "["))
        followsValue = false
        for element in elements { body(&self, element) }
        bytes.append(UInt8(ascii: "]"))
        followsValue = true
    }

    /// Writes a key, which needs no escaping as it is our own; its value is what is written next.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        followsValue = false
    }

    /// Writes a key that somebody else chose.
    package mutating func key(text name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        followsValue = false
    }

    // MARK: Values

    package mutating func string(_ text: String) {
        separate()
        JSONText.appendQuoted(text, to: &bytes)
        followsValue = true
    }

    /// Writes bytes that need not be UTF-8: each invalid sequence becomes U+FFFD.
    package mutating func string(utf8 text: some Collection<UInt8>) {
        string(String(decoding: text, as: UTF8.self))
    }

    package mutating func integer(_ value: some FixedWidthInteger) {
        separate()
        JSONText.appendDecimal(value, to: &bytes)
        followsValue = true
    }

    /// Writes a number so that it reads back the same; what JSON has no number for becomes `null`.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return null() }
        if let whole = Int64(exactly: value) { return integer(whole) }
        literal(value.description)
    }

    /// Writes thousandths as a decimal number with three places: 1766000000.123.
    package mutating func thousandths(_ value: Int64) {
        separate()
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: 1_000)
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        JSONText.appendDecimal(whole, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(rest / 100))
        bytes.append(UInt8(ascii: "0") + UInt8(rest / 10 % 10))
        bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
        followsValue = true
    }

    package mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

    package mutating func null() { literal("null") }

    /// Puts in a finished JSON value as it is.
    package mutating func raw(_ value: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: value)
        followsValue = true
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        followsValue = true
    }

    private mutating func separate() {
        if followsValue { bytes.append(UInt8(ascii: ",")) }
    }
}

/// The byte level of JSON text.
package enum JSONText {
    /// Appends `text` in quotes, escaped.
    package static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        let contiguous: Void? = text.utf8.withContiguousStorageIfAvailable { appendEscaped($0, to: &bytes) }
        if contiguous == nil {
            // A string that is not stored as UTF-8 in one piece (bridged or lazy): rare, so copy it.
            Array(text.utf8).withUnsafeBufferPointer { appendEscaped($0, to: &bytes) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends the digits of `value`.
    package static func appendDecimal(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = UInt64(value.magnitude)
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Appends runs that need no escape in one piece: nearly all of a log line is such a run.
    private static func appendEscaped(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        var runStart = 0
        var index = 0
        while let stop = nextSuspect(in: text, from: index) {
            guard let escape = Escape(at: stop, in: text) else {
                index = stop + 1
                continue
            }
            bytes.append(contentsOf: text[runStart..<stop])
            escape.append(to: &bytes)
            index = stop + escape.length
            runStart = index
        }
        bytes.append(contentsOf: text[runStart...])
    }

    /// The next byte that may need an escape: a control character, quote, backslash, or E2 (U+2028 starts with it).
    static func nextSuspect(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + 8 <= text.count {
            let word = UnsafeRawPointer(text.baseAddress.unsafelyUnwrapped)
                .loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if hasSuspect(word) { break }
            index += 8
        }
        while index < text.count {
            let byte = text[index]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0xE2 { return index }
            index += 1
        }
        return nil
    }

    /// Whether the suspect byte at `index` begins what needs an escape.
    static func needsEscape(at index: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        Escape(at: index, in: text) != nil
    }

    /// Whether one of eight bytes is suspect (the borrow of a subtraction can only flag more bytes of a word that has one).
    private static func hasSuspect(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        func hasZero(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }
        let control = (word &- ones &* 0x20) & ~word & highs
        return control | hasZero(word ^ ones &* 0x22) | hasZero(word ^ ones &* 0x5C)
            | hasZero(word ^ ones &* 0xE2) != 0
    }

    /// How one character is escaped, and how many bytes of the text it stands for.
    private struct Escape {
        let length: Int
        private let byte: UInt8

        /// nil when the byte at `index` needs no escape after all.
        init?(at index: Int, in text: UnsafeBufferPointer<UInt8>) {
            let first = text[index]
            if first != 0xE2 {
                length = 1
                byte = first
                return
            }
            guard index + 2 < text.count, text[index + 1] == 0x80 else { return nil }
            guard text[index + 2] == 0xA8 || text[index + 2] == 0xA9 else { return nil }
            length = 3
            byte = text[index + 2]
        }

        func append(to bytes: inout [UInt8]) {
            switch byte {
            case 0x22: bytes.append(contentsOf: [0x5C, 0x22])
            case 0x5C: bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
            case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
            case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
            case 0xA8: bytes.append(contentsOf: #"\u2028"#.utf8)
            case 0xA9: bytes.append(contentsOf: #"\u2029"#.utf8)
            default:
                let digits = StaticString("0123456789abcdef").utf8Start
                bytes.append(contentsOf: #"\u00"#.utf8)
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
    }
}
