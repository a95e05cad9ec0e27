// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads typed values, and tells what is wrong with others: what, where, what to write instead.
struct SettingReader {
    /// The file's name, or what else the values come from.
    var file: String

    func failure(_ message: String, _ line: Int?, hint: String? = nil) -> Failure {
        Failure(.configInvalid, .user, message, hint: hint, file: file, line: line)
    }

    /// Refuses a setting that nothing would carry out: better than a promise that is broken in silence.
    func unsupported(_ name: String, _ line: Int?, instead: String) -> Failure {
        failure("'\(name)' is not supported yet", line, hint: "leave it out; \(instead)")
    }

    private func mismatch(_ name: String, _ wanted: String, _ value: YAMLValue) -> Failure {
        failure("'\(name)' must be \(wanted), not \(value.typeName)", value.line)
    }

    // MARK: Tables

    /// The fields of a table whose keys are all among `keys`.
    func table(_ value: YAMLValue, _ name: String, keys: [String]) throws(Failure) -> [String: YAMLValue] {
        guard case .table(let fields) = value.content else {
            throw mismatch(name, "a table with the keys \(keys.joined(separator: ", "))", value)
        }
        var result: [String: YAMLValue] = [:]
        for field in fields {
            guard keys.contains(field.key) else {
                throw unknownKey(field.key, of: name, keys: keys, line: field.line)
            }
            result[field.key] = field.value
        }
        return result
    }

    func unknownKey(_ key: String, of name: String, keys: [String], line: Int?) -> Failure {
        let hint =
            Spelling.nearest(key, in: keys).map { "did you mean '\($0)'?" }
            ?? "the keys here are \(keys.joined(separator: ", "))"
        return failure("\(name) has no key '\(key.prefix(64))'", line, hint: hint)
    }

    func list(_ value: YAMLValue, _ name: String) throws(Failure) -> [YAMLValue] {
        guard case .list(let values) = value.content else { throw mismatch(name, "a list", value) }
        return values
    }

    // MARK: Single values

    func text(_ value: YAMLValue, _ name: String) throws(Failure) -> String {
        guard case .text(let text) = value.content else {
            throw failure(
                "'\(name)' must be text, not \(value.typeName)",
                value.line,
                hint: "put it in quotes if it is meant as text"
            )
        }
        if text.isEmpty { throw failure("'\(name)' is empty", value.line) }
        if text.utf8.contains(0) { throw failure("'\(name)' contains a NUL byte", value.line) }
        return text
    }

    func texts(_ value: YAMLValue, _ name: String) throws(Failure) -> [String] {
        var texts: [String] = []
        for element in try list(value, name) { texts.append(try text(element, name)) }
        return texts
    }

    func bool(_ value: YAMLValue, _ name: String) throws(Failure) -> Bool {
        guard case .bool(let truth) = value.content else { throw mismatch(name, "true or false", value) }
        return truth
    }

    func integer(_ value: YAMLValue, _ name: String, in range: ClosedRange<Int>) throws(Failure) -> Int {
        guard case .integer(let number) = value.content else {
            throw mismatch(name, "a whole number", value)
        }
        guard range.contains(number) else {
            throw failure(
                "'\(name)' must lie between \(range.lowerBound) and \(range.upperBound), not be \(number)",
                value.line
            )
        }
        return number
    }

    func number(_ value: YAMLValue, _ name: String, in range: ClosedRange<Double>) throws(Failure) -> Double {
        let number: Double
        switch value.content {
        case .integer(let whole): number = Double(whole)
        case .number(let fraction): number = fraction
        default: throw mismatch(name, "a number", value)
        }
        guard range.contains(number) else {
            throw failure(
                "'\(name)' must lie between \(range.lowerBound) and \(range.upperBound)",
                value.line
            )
        }
        return number
    }

    /// A size such as `512MiB`; a bare number counts bytes.
    func size(_ value: YAMLValue, _ name: String) throws(Failure) -> ByteCount {
        let hint = "write it as 512MiB or 2GiB (B, KiB, MiB, GiB, TiB)"
        let size: ByteCount?
        switch value.content {
        case .integer(let bytes): size = bytes > 0 ? ByteCount(Int64(bytes)) : nil
        case .text(let text): size = ByteCount(text: text)
        default: throw failure("'\(name)' must be a size, not \(value.typeName)", value.line, hint: hint)
        }
        guard let size, size.bytes > 0 else { throw failure("'\(name)' is no size", value.line, hint: hint) }
        return size
    }

    /// A size that lies in `range`.
    func size(
        _ value: YAMLValue,
        _ name: String,
        in range: ClosedRange<ByteCount>
    ) throws(Failure) -> ByteCount {
        let size = try size(value, name)
        guard range.contains(size) else {
            throw failure(
                "'\(name)' must lie between \(range.lowerBound) and \(range.upperBound), not be \(size)",
                value.line
            )
        }
        return size
    }

    /// A time such as `1h30m`.
    func duration(_ value: YAMLValue, _ name: String) throws(Failure) -> Duration {
        let hint = "write it as 90s, 10m or 1h30m"
        guard case .text(let text) = value.content else {
            throw failure("'\(name)' must be a time, not \(value.typeName)", value.line, hint: hint)
        }
        guard let duration = Duration(setting: text) else {
            throw failure("'\(name)' is no time: '\(text.prefix(40))'", value.line, hint: hint)
        }
        return duration
    }

    /// One of an enumeration's raw values.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: YAMLValue,
        _ name: String
    ) throws(Failure) -> Choice where Choice.RawValue == String {
        let text = try text(value, name)
        if let choice = Choice(rawValue: text) { return choice }
        let all = Choice.allCases.map(\.rawValue)
        let hint =
            Spelling.nearest(text, in: all).map { "did you mean '\($0)'?" }
            ?? "one of \(all.joined(separator: ", "))"
        throw failure("'\(name)' can not be '\(text.prefix(64))'", value.line, hint: hint)
    }

    func relativePath(_ value: YAMLValue, _ name: String) throws(Failure) -> RelativePath {
        let text = try text(value, name)
        do throws(PathProblem) {
            return try RelativePath(parsing: text)
        } catch {
            let hint = "name a path below it, such as site or bin/tool"
            throw failure("'\(name)' \(error.explanation)", value.line, hint: hint)
        }
    }

    /// A step's or a plugin's name.
    func name<Name: CheckedName>(_ value: YAMLValue, _ name: String) throws(Failure) -> Name {
        let text = try text(value, name)
        if let checked = Name(rawValue: text) { return checked }
        throw failure("'\(name)' can not be '\(text.prefix(64))'", value.line, hint: Name.rule)
    }
}

extension Duration {
    /// The longest time a setting may ask for.
    private static let longestSetting = 7 * 24 * 3_600

    /// Reads `90s`, `10m`, `1h30m`: hours, minutes, seconds in this order, each at most once; nil for anything else, for
    /// nothing at all, and for more than a week.
    package init?(setting text: String) {
        var seconds = 0
        var rest = text[...]
        for (unit, length) in [("h", 3_600), ("m", 60), ("s", 1)] {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, rest.dropFirst(digits.count).hasPrefix(unit) else { continue }
            guard let count = Int(digits), count <= Duration.longestSetting else { return nil }
            seconds += count * length
            rest = rest.dropFirst(digits.count + unit.count)
        }
        guard rest.isEmpty, seconds > 0, seconds <= Duration.longestSetting else { return nil }
        self = .seconds(seconds)
    }

    /// As a setting writes it; parts of a second are dropped.
    package var setting: String {
        let seconds = Int(inSeconds)
        let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
        let text = parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
        return text.isEmpty ? "0s" : text
    }
}
