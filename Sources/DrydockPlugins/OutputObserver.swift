// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads progress and diagnostics off the output of tools that know nothing of Drydock.
///
/// Every rule is one pass over the line with bounded look-ahead: no line costs more than linear time.
struct OutputObserver {
    enum Observation: Equatable {
        case progress(current: Double, total: Double, unit: String?)
        case diagnostic(Diagnostic)
    }

    private enum Traceback {
        case outside
        /// The innermost frame so far.
        case inside(file: String?, line: Int?)
    }

    private var traceback = Traceback.outside

    /// What `line` tells, if anything; `isOverwritten` where a carriage return ended it.
    mutating func observe(_ line: UnsafeRawBufferPointer, isOverwritten: Bool) -> Observation? {
        // Long lines are data, not messages.
        guard line.count <= 4_096 else { return nil }
        if line.contains(0x1B) {
            return AnsiText.stripped(line).withUnsafeBytes { observeClean($0, isOverwritten) }
        }
        return observeClean(line, isOverwritten)
    }

    private mutating func observeClean(_ line: UnsafeRawBufferPointer, _ isOverwritten: Bool) -> Observation?
    {
        // Without its escape sequences a line may be empty.
        guard line.count >= 2 else { return nil }
        var scan = ByteScan(line)
        if let counted = scan.counter() { return counted }
        if let percent = ByteScan(line).percent(anywhere: isOverwritten) { return percent }
        guard !isOverwritten else { return nil }
        return observeTraceback(line) ?? Self.located(line)
    }

    // MARK: Diagnostics

    private mutating func observeTraceback(_ line: UnsafeRawBufferPointer) -> Observation? {
        // The second is compileall's heading for a syntax error.
        if line.elementsEqual("Traceback (most recent call last):".utf8)
            || line.starts(with: "*** Error compiling '".utf8)
        {
            traceback = .inside(file: nil, line: nil)
            return nil
        }
        guard case .inside(let file, let number) = traceback else { return nil }
        if line.starts(with: "  File \"".utf8) {
            let rest = line.dropFirst(8)
            let name = rest.prefix { $0 != UInt8(ascii: "\"") }
            let after = rest.dropFirst(name.count)
            let digits =
                after.starts(with: "\", line ".utf8) ? after.dropFirst(8).prefix(while: ByteScan.isDigit) : []
            traceback = .inside(file: String(decoding: name, as: UTF8.self), line: ByteScan.integer(digits))
            return nil
        }
        guard line.first != 0x20 else { return nil }
        traceback = .outside
        let message = String(decoding: line, as: UTF8.self)
        return .diagnostic(Diagnostic(severity: .error, message: message, file: file, line: number))
    }

    /// Whether a file may be called that: `12` of `12:30: error: …` is an hour.
    private static func isFileName(_ name: some Sequence<UInt8>) -> Bool {
        name.contains { (0x41...0x5A).contains($0 & 0xDF) || $0 >= 0x80 || $0 == UInt8(ascii: "_") }
    }

    /// Whether it ends in two digits of their own, as what stands before the minutes of a time does: `Jan 5 12`,
    /// `2026-01-05T12`.
    private static func endsInHours(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        let end = Array(name.suffix(4))
        guard end.count >= 2, end.suffix(2).allSatisfy(ByteScan.isDigit) else { return false }
        guard let before = end.dropLast(2).last else { return true }
        if before == UInt8(ascii: "T") { return end.count == 4 && ByteScan.isDigit(end[0]) }
        return " :[(".utf8.contains(before)
    }

    /// `file:line[:column]: error|warning|fatal error: message`, as gcc, clang and swiftc write it.
    private static func located(_ line: UnsafeRawBufferPointer) -> Observation? {
        guard line[0] > 0x20 else { return nil }
        var start = line.startIndex
        while let colon = line[start...].firstIndex(of: UInt8(ascii: ":")) {
            start = colon + 1
            guard colon > 0, start < line.count, ByteScan.isDigit(line[start]) else { continue }
            var scan = ByteScan(line, at: start)
            guard let number = scan.integer(), scan.take(":") else { continue }
            let column = scan.integer()
            guard column == nil || scan.take(":"), scan.take(" ") else { continue }
            guard isFileName(line[..<colon]) else { continue }
            // The minutes and seconds of a time of day, or the seconds alone.
            let isTime = number < 60 && (column ?? 0) < 60 && endsInHours(line[..<colon])
            guard !isTime, let severity = scan.severity() else { continue }
            let diagnostic = Diagnostic(
                severity: severity,
                message: String(decoding: scan.rest, as: UTF8.self),
                file: String(decoding: line[..<colon], as: UTF8.self),
                line: number,
                column: column
            )
            return .diagnostic(diagnostic)
        }
        return nil
    }
}

/// A position in a line that rules move over.
private struct ByteScan {
    private let line: UnsafeRawBufferPointer
    private var position: Int

    init(_ line: UnsafeRawBufferPointer, at position: Int = 0) {
        self.line = line
        self.position = position
    }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// The number of at most nine digits, nil for none or more.
    static func integer(_ digits: some Collection<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    var rest: Slice<UnsafeRawBufferPointer> { line[min(position, line.count)...] }

    mutating func take(_ text: StaticString) -> Bool {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard rest.starts(with: expected) else { return false }
        position += expected.count
        return true
    }

    mutating func integer() -> Int? {
        let digits = rest.prefix(10).prefix(while: Self.isDigit)
        guard let value = Self.integer(digits) else { return nil }
        position += digits.count
        return value
    }

    mutating func skipSpace() { position += rest.prefix { $0 == 0x20 || $0 == 0x09 }.count }

    mutating func severity() -> Diagnostic.Severity? {
        if take("error: ") || take("fatal error: ") { return .error }
        return take("warning: ") ? .warning : nil
    }

    /// `[n/m]` or `(n/m)` at the start of a line.
    mutating func counter() -> OutputObserver.Observation? {
        skipSpace()
        let close: StaticString
        if take("[") { close = "]" } else if take("(") { close = ")" } else { return nil }
        skipSpace()
        guard let current = integer(), take("/"), let total = integer(), take(close), total > 0,
            current <= total
        else { return nil }
        return .progress(current: Double(current), total: Double(total), unit: nil)
    }

    /// A percentage with nothing but space or brackets around it: alone on its line or in brackets of its own at the
    /// start (what else begins with one is prose: `50% of the people`), or anywhere in an overwritten piece, where it
    /// can hardly be anything else.
    func percent(anywhere: Bool) -> OutputObserver.Observation? {
        var start = 0
        while let sign = line[start...].firstIndex(of: UInt8(ascii: "%")) {
            start = sign + 1
            let digits = line[..<sign].suffix(4).reversed().prefix(while: Self.isDigit)
            guard let value = Self.integer(digits.reversed()), value <= 100 else { continue }
            let first = sign - digits.count
            let isFree = first == 0 || Self.isFrame(line[first - 1])
            let isClosed = start == line.count || Self.isFrame(line[start])
            guard isFree, isClosed, anywhere || isAlone(first..<start) else {
                guard anywhere else { return nil }
                continue
            }
            return .progress(current: Double(value), total: 100, unit: "%")
        }
        return nil
    }

    /// Whether there is nothing but frames before the percentage, and behind it the end, a closing bracket or a bar.
    private func isAlone(_ percentage: Range<Int>) -> Bool {
        guard line[..<percentage.lowerBound].allSatisfy(Self.isFrame) else { return false }
        guard let next = line[percentage.upperBound...].first(where: { $0 != 0x20 && $0 != 0x09 }) else {
            return true
        }
        return next != UInt8(ascii: "(") && Self.isFrame(next)
    }

    private static func isFrame(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "|"), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}

/// Escape sequences of terminals.
enum AnsiText {
    /// `line` without CSI, OSC and two-byte sequences (ECMA-48, section 5.4).
    static func stripped(_ line: UnsafeRawBufferPointer) -> [UInt8] {
        var clean: [UInt8] = []
        clean.reserveCapacity(line.count)
        var rest = line[...]
        while let byte = rest.popFirst() {
            guard byte == 0x1B else {
                clean.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "["): rest = rest.drop { !(0x40...0x7E).contains($0) }.dropFirst()
            case UInt8(ascii: "]"): rest = rest.drop { $0 != 0x07 && $0 != 0x1B }.dropFirst()
            default: break
            }
        }
        return clean
    }
}
