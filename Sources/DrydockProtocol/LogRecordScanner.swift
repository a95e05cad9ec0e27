// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads `log` records exactly as `JournalCodec` writes them: nine in ten records, at a tenth of a JSON parser's cost.
///
/// Anything that differs in the least is left to the parser.
enum LogRecordScanner {
    /// nil when the line is no log record, or not written by us.
    static func scan(_ bytes: [UInt8]) -> JournalRecord? {
        bytes.withUnsafeBufferPointer { scan(LineScanner($0)) }
    }

    private static func scan(_ line: LineScanner) -> JournalRecord? {
        var scanner = line
        guard let head = RecordHead(&scanner), head.kind == "log",
            scanner.skip(#","v":1,"via":""#), let via = scanner.plainString().flatMap(Via.init(rawValue:))
        else { return nil }
        let step = scanner.optionalField(#","step":""#).map { StepID(rawValue: $0) }
        // A step that is none: the parser says so.
        if case .some(nil) = step { return nil }
        guard scanner.skip(#","stream":""#),
            let stream = scanner.plainString().flatMap(LogLine.Stream.init(rawValue:))
        else { return nil }
        let stage = scanner.optionalField(#","stage":""#)
        guard scanner.skip(#","text":""#), let text = scanner.escapedString() else { return nil }
        let level = scanner.optionalField(#","level":""#)
        guard scanner.skip("}"), scanner.isAtEnd else { return nil }
        return JournalRecord(
            seq: head.seq,
            at: head.at,
            build: head.build,
            attempt: head.attempt,
            via: via,
            step: step ?? nil,
            event: .log(
                LogLine(stream: stream, stage: stage.map(StageID.init(rawValue:)), text: text, level: level)
            )
        )
    }
}

/// Walks over one line from left to right.
struct LineScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    /// Goes behind `text` if it stands here.
    mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - index >= count else { return false }
        for offset in 0..<count where bytes[index + offset] != text.utf8Start[offset] { return false }
        index += count
        return true
    }

    /// A number without sign, point or leading zero.
    mutating func integer() -> UInt64? {
        let start = index
        var value: UInt64 = 0
        while index < bytes.count, case let digit = bytes[index] &- UInt8(ascii: "0"), digit < 10 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
            index += 1
        }
        let length = index - start
        return length == 0 || (length > 1 && bytes[start] == UInt8(ascii: "0")) ? nil : value
    }

    /// A decimal number with exactly three places, in thousandths.
    mutating func thousandths() -> Int64? {
        guard let whole = integer(), whole < UInt64(Int64.max / 1_000) - 1, skip(".") else { return nil }
        guard bytes.count - index >= 3 else { return nil }
        var value = Int64(whole)
        for offset in 0..<3 {
            let digit = bytes[index + offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        index += 3
        return value
    }

    /// The rest of a string whose opening quote was skipped, when it has no escape; goes behind the closing quote.
    mutating func plainString() -> String? {
        let start = index
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            guard bytes[end] != UInt8(ascii: "\\"), bytes[end] >= 0x20 else { return nil }
            end += 1
        }
        guard end < bytes.count else { return nil }
        index = end + 1
        return String(validating: bytes[start..<end], as: UTF8.self)
    }

    /// The string behind `key` (which ends with the opening quote); nil, and nothing skipped, when it is not here.
    mutating func optionalField(_ key: StaticString) -> String? {
        let start = index
        guard skip(key), let text = plainString() else {
            index = start
            return nil
        }
        return text
    }

    /// The same as `plainString` for text that may have the escapes `JSONWriter` makes.
    mutating func escapedString() -> String? {
        let start = index
        if let text = plainString() { return text }
        index = start
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard appendEscape(to: &text) else { return nil }
            case ..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    /// Reads what follows a backslash; false for escapes that we do not write (surrogates).
    private mutating func appendEscape(to text: inout [UInt8]) -> Bool {
        guard index < bytes.count else { return false }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard bytes.count - index >= 4 else { return false }
            let digits = String(decoding: bytes[index..<index + 4], as: UTF8.self)
            guard digits.allSatisfy(\.isHexDigit), let code = UInt16(digits, radix: 16),
                let scalar = Unicode.Scalar(code)
            else { return false }
            index += 4
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: return false
        }
        return true
    }
}
