// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// Why a text is not the JSON it should be, in words for its author.
package struct MalformedJSON: Error, Hashable, Sendable {
    package var reason: String
    /// Offset in bytes where reading stopped.
    package var offset: Int
}

/// How much of a JSON text is accepted.
package struct JSONBounds: Sendable {
    /// Objects and arrays inside each other.
    package var depth: Int
    /// Keys of all objects together.
    package var fields: Int
    /// Elements of all arrays together.
    package var elements: Int

    /// Of one diagnostic that a tool prints as JSON.
    package static let diagnostic = JSONBounds(depth: 64, fields: 4_096, elements: 4_096)

    package init(
        depth: Int = PluginLineLimits.depth,
        fields: Int = PluginLineLimits.fields,
        elements: Int = PluginLineLimits.elements
    ) {
        self.depth = depth
        self.fields = fields
        self.elements = elements
    }
}

/// Reads JSON written by strangers (RFC 8259), with bounds that hold while it reads.
///
/// Stricter than the RFC has to be: UTF-8 must be valid, surrogates must be paired, keys must not repeat, numbers must
/// be finite. Linear in the text's length.
package struct BoundedJSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private var bounds: JSONBounds
    /// From 1; newlines stand only between values.
    private var line = 1
    /// Of the value that was read last; nil where nobody asked.
    private var places: Places?

    private init(_ bytes: [UInt8], bounds: JSONBounds) {
        self.bytes = bytes
        self.bounds = bounds
    }

    /// The value of a file that people write, with the lines of its parts; `title` is what messages call it.
    package static func document(
        _ bytes: [UInt8],
        _ title: String,
        bounds: JSONBounds
    ) throws(FieldProblem) -> Field {
        var reader = BoundedJSONReader(bytes, bounds: bounds)
        reader.places = Places(line: 1)
        do throws(MalformedJSON) {
            let value = try reader.whole()
            return Field(value, title, .document, places: reader.places)
        } catch {
            throw FieldProblem(
                "\(title) is not JSON: \(error.reason) (byte \(error.offset))",
                line: reader.line
            )
        }
    }

    /// The one value that `bytes` are, white space around it aside.
    package static func read(
        _ bytes: [UInt8],
        bounds: JSONBounds = JSONBounds()
    ) throws(MalformedJSON) -> JSON {
        var reader = BoundedJSONReader(bytes, bounds: bounds)
        return try reader.whole()
    }

    private mutating func whole() throws(MalformedJSON) -> JSON {
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw problem("text after the value") }
        return value
    }

    private func problem(_ reason: String) -> MalformedJSON {
        MalformedJSON(reason: reason, offset: position)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            if byte == 0x0A { line += 1 }
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(MalformedJSON) -> JSON {
        guard let byte = next else { throw problem("the text ends too early") }
        if places != nil { places = Places(line: line) }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw problem("no value begins like this")
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSON) throws(MalformedJSON) -> JSON {
        let count = text.utf8CodeUnitCount
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: count)
        guard bytes.count - position >= count, bytes[position..<position + count].elementsEqual(expected)
        else { throw problem("no value begins like this") }
        position += count
        return value
    }

    private mutating func object(depth: Int) throws(MalformedJSON) -> JSON {
        guard depth <= bounds.depth else { throw problem("nested too deeply") }
        position += 1
        skipSpace()
        var fields: [String: JSON] = [:]
        if take(UInt8(ascii: "}")) { return .object(fields) }
        let begin = places?.line
        var entries: [String: Places.Entry] = [:]
        repeat {
            bounds.fields -= 1
            guard bounds.fields >= 0 else { throw problem("too many fields") }
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw problem("a key is missing") }
            let key = try string()
            let keyLine = line
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw problem("a colon is missing") }
            skipSpace()
            guard fields.updateValue(try value(depth: depth), forKey: key) == nil
            else { throw problem("a key stands twice") }
            if let places { entries[key] = Places.Entry(keyLine: keyLine, places: places) }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw problem("an object does not end") }
        if places != nil { places = Places(line: begin, fields: entries) }
        return .object(fields)
    }

    private mutating func array(depth: Int) throws(MalformedJSON) -> JSON {
        guard depth <= bounds.depth else { throw problem("nested too deeply") }
        position += 1
        skipSpace()
        var elements: [JSON] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        let begin = places?.line
        var parts: [Places] = []
        repeat {
            bounds.elements -= 1
            guard bounds.elements >= 0 else { throw problem("too many elements") }
            skipSpace()
            elements.append(try value(depth: depth))
            if let places { parts.append(places) }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw problem("an array does not end") }
        if places != nil { places = Places(line: begin, elements: parts) }
        return .array(elements)
    }
}

// MARK: Numbers and strings

extension BoundedJSONReader {
    private mutating func number() throws(MalformedJSON) -> JSON {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let leadingZero = next == UInt8(ascii: "0")
        let whole = skipDigits()
        guard whole > 0, !leadingZero || whole == 1 else { throw problem("not a number") }
        if take(UInt8(ascii: ".")), skipDigits() == 0 { throw problem("not a number") }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw problem("not a number") }
        }
        guard position - start <= PluginLineLimits.number else { throw problem("a number is too long") }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        // What a Double may round: from 16 digits on.
        if position - start > 15, let whole = UInt64(text) { return JSON(whole) }
        guard let value = Double(text), value.isFinite else { throw problem("a number is too large") }
        return .number(value)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func string() throws(MalformedJSON) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw problem("not UTF-8") }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw problem("a control character stands in a string")
            default: text.append(byte)
            }
        }
        throw problem("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(MalformedJSON) {
        guard let byte = next else { throw problem("a string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw problem("no such escape")
        }
    }

    /// The scalar of `\uXXXX`, or of the pair `\uD8XX\uDCXX` (RFC 8259, section 7).
    private mutating func unicodeEscape() throws(MalformedJSON) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(first)), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u"))
        else { throw problem("a surrogate stands alone") }
        let second = try codeUnit()
        let combined = 0x1_0000 + ((first & 0x3FF) << 10) + (second & 0x3FF)
        guard UTF16.isTrailSurrogate(UInt16(second)), let scalar = Unicode.Scalar(combined)
        else { throw problem("a surrogate stands alone") }
        return scalar
    }

    private mutating func codeUnit() throws(MalformedJSON) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = HexDigit.value(byte) else { throw problem("no such escape") }
            position += 1
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}

/// Hexadecimal digits.
enum HexDigit {
    /// 0…15 for `0-9a-fA-F`, else nil.
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
