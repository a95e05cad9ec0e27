// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// A field as a single value.
extension Field {
    /// A text of at most `limit` bytes.
    package func text(limit: Int = .max) throws(FieldProblem) -> String {
        guard case .string(let text) = value else {
            let hint = places == nil ? nil : "put it in quotes if it is meant as text"
            throw mismatch("text", hint: hint)
        }
        if text.utf8.count > limit { throw problem("is longer than \(limit) bytes") }
        if form == .document || form == .setting { try refuseNUL(text) }
        return text
    }

    /// A text that is not empty.
    package func filled(limit: Int = .max) throws(FieldProblem) -> String {
        let text = try text(limit: limit)
        if text.isEmpty { throw problem("is empty") }
        return text
    }

    /// What `read` makes of a text that is not empty; its problem gets the field's place.
    package func parsed<Value>(
        _ read: (String) throws(FieldProblem) -> Value
    ) throws(FieldProblem) -> Value {
        let text = try filled()
        do throws(FieldProblem) {
            return try read(text)
        } catch {
            throw FieldProblem("\(shown): \(error.message)", hint: error.hint, line: line)
        }
    }

    /// A list of texts without NUL, which are made for commands and environments.
    package func texts(allFilled: Bool = false) throws(FieldProblem) -> [String] {
        try list { field throws(FieldProblem) in
            let text = allFilled ? try field.filled() : try field.text()
            try field.refuseNUL(text)
            return text
        }
    }

    /// No text that goes to C may hold a NUL: what reads it there would see another one than was written.
    private func refuseNUL(_ text: String) throws(FieldProblem) {
        if text.utf8.contains(0) { throw problem("contains a NUL byte") }
    }

    package func bool() throws(FieldProblem) -> Bool {
        if case .bool(let truth) = value { return truth }
        if let word, let truth = Bool(word) { return truth }
        throw mismatch("true or false")
    }

    // MARK: Numbers

    /// The text that a number or truth value is read from, where it was written in words.
    private var word: String? {
        guard form == .words || form == .setting, case .string(let text) = value else { return nil }
        return text
    }

    /// A number, which is always finite.
    package func number() throws(FieldProblem) -> Double {
        switch value {
        case .number(let number): return number
        case .whole(let number): return Double(number)
        default:
            if let number = word.flatMap(Self.decimal) { return number }
            throw mismatch("a number")
        }
    }

    package func number(in range: ClosedRange<Double>) throws(FieldProblem) -> Double {
        let number = try number()
        if range.contains(number) { return number }
        throw problem("must lie between \(range.lowerBound) and \(range.upperBound)")
    }

    /// A whole number, exactly.
    package func integer<Integer: FixedWidthInteger>() throws(FieldProblem) -> Integer {
        if case .whole(let number) = value {
            if let integer = Integer(exactly: number) { return integer }
        } else if let word {
            if word.utf8.first != UInt8(ascii: "+"), let integer = Integer(word) { return integer }
        } else if case .number(let number) = value, let integer = Integer(exactly: number) {
            return integer
        }
        throw mismatch("a whole number")
    }

    package func integer(in range: ClosedRange<Int>) throws(FieldProblem) -> Int {
        let integer: Int = try integer()
        if range.contains(integer) { return integer }
        throw problem("must lie between \(range.lowerBound) and \(range.upperBound), not be \(integer)")
    }

    /// A plain decimal number; none of the words, hexadecimal forms or signs that `Double.init` takes as well.
    private static func decimal(_ text: String) -> Double? {
        guard text.utf8.count <= 64,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    // MARK: Sizes and times

    /// A size such as `512MiB`; a bare number counts bytes.
    package func size() throws(FieldProblem) -> ByteCount {
        let hint = "write it as 512MiB or 2GiB (B, KiB, MiB, GiB, TiB)"
        let size: ByteCount?
        switch value {
        case .number(let bytes): size = Int64(exactly: bytes).map { ByteCount($0) }
        case .string(let text): size = ByteCount(text: text)
        default: throw mismatch("a size", hint: hint)
        }
        guard let size, size.bytes > 0 else { throw problem("is no size", hint: hint) }
        return size
    }

    /// A size that lies in `range`.
    package func size(in range: ClosedRange<ByteCount>) throws(FieldProblem) -> ByteCount {
        let size = try size()
        if range.contains(size) { return size }
        throw problem("must lie between \(range.lowerBound) and \(range.upperBound), not be \(size)")
    }

    /// A time such as `1h30m`.
    package func duration(atMost longest: Duration = .longestSetting) throws(FieldProblem) -> Duration {
        let hint = "write it as 90s, 10m, 1h30m or 7d"
        guard case .string(let text) = value else { throw mismatch("a time", hint: hint) }
        if let duration = Duration(setting: text, atMost: longest) { return duration }
        throw problem("is no time: '\(text.prefix(40))'", hint: hint)
    }

    /// Seconds with a fraction, as programs write times; a week at most.
    package func seconds() throws(FieldProblem) -> Duration {
        .milliseconds(Int64(try number(in: 0.001...604_800) * 1_000))
    }
}
