// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

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

    /// A moment: unix seconds with exactly three places, in thousandths; nil for one that `Timestamp` would cut.
    mutating func thousandths() -> Int64? {
        guard let whole = integer(), whole < UInt64(Timestamp.lastSecond), skip(".") else { return nil }
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

    /// Whether `text` stands at `range`.
    func isEqual(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return range.allSatisfy { bytes[$0] == text.utf8Start[$0 - range.lowerBound] }
    }

    /// Where the rest of a string is, if it has no escape; goes from behind the opening to behind the closing quote.
    mutating func plain() -> Range<Int>? {
        let start = index
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            guard bytes[end] != UInt8(ascii: "\\"), bytes[end] >= 0x20 else { return nil }
            end += 1
        }
        guard end < bytes.count else { return nil }
        index = end + 1
        return start..<end
    }

    /// The value of that name; goes from behind the opening to behind the closing quote.
    mutating func name<Name: RawRepresentable<String> & CaseIterable>() -> Name? {
        plain().flatMap { range in Name.allCases.first { bytes[range].elementsEqual($0.rawValue.utf8) } }
    }

    /// Where the string behind `key` is, which ends with the opening quote; nil, and nothing skipped, where it is not.
    mutating func optionalField(_ key: StaticString) -> Range<Int>? {
        let start = index
        guard skip(key), let range = plain() else {
            index = start
            return nil
        }
        return range
    }

    /// Where a string is, quotes included, that has just the escapes which `JSONWriter` makes; goes from behind the
    /// opening to behind the closing quote.
    mutating func writtenString() -> Range<Int>? {
        let start = index - 1
        while let stop = JSONText.nextSuspect(in: bytes, from: index) {
            index = stop
            switch bytes[stop] {
            case UInt8(ascii: "\""):
                index += 1
                return start..<index
            case UInt8(ascii: "\\"):
                guard skipWrittenEscape() else { return nil }
            case 0xE2 where !JSONText.needsEscape(at: stop, in: bytes): index += 1
            default: return nil
            }
        }
        return nil
    }

    /// Goes behind the escape that stands here, if `JSONWriter` would have written it so.
    private mutating func skipWrittenEscape() -> Bool {
        guard index + 1 < bytes.count else { return false }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 2
            return true
        case UInt8(ascii: "u"):
            guard bytes.count - index >= 6, isWrittenByNumber(index + 2..<index + 6) else { return false }
            index += 6
            return true
        default: return false
        }
    }

    /// Whether four digits stand for a control character that has no letter, or for U+2028 or U+2029.
    private func isWrittenByNumber(_ digits: Range<Int>) -> Bool {
        let last = bytes[digits.upperBound - 1]
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last)
        let isHexadecimal = isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(last)
        switch true {
        case isEqual(digits.dropLast(), "000"):
            return isHexadecimal && ![UInt8(ascii: "9"), UInt8(ascii: "a"), UInt8(ascii: "d")].contains(last)
        case isEqual(digits.dropLast(), "001"): return isHexadecimal
        case isEqual(digits.dropLast(), "202"): return last == UInt8(ascii: "8") || last == UInt8(ascii: "9")
        default: return false
        }
    }

    /// The text of a string whose opening quote was skipped, and that may have the escapes `JSONWriter` makes.
    mutating func escapedString() -> String? {
        let start = index
        if let range = plain() { return String(validating: bytes[range], as: UTF8.self) }
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
