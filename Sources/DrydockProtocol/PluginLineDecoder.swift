// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads the lines of a plugin's standard output: which is a record, and what it says.
package enum PluginLineDecoder {
    private static let marker = Array("@dd ".utf8)

    /// Whether `line` claims to be a record; anything else is log text, whatever it holds.
    package static func isRecord(_ line: UnsafeRawBufferPointer) -> Bool {
        line.count >= marker.count && line[0] == marker[0] && line.starts(with: marker)
    }

    /// Decodes one line without its newline.
    ///
    /// Never fails: what can not be read is `.malformed`, with the reason.
    package static func decode(_ line: [UInt8]) -> PluginLine {
        guard line.starts(with: marker) else { return .log }
        guard line.count <= PluginLineLimits.line else { return .malformed("the line is longer than 64 KiB") }
        do throws(MalformedRecord) {
            let fields = try RecordFields(body: Array(line[marker.count...]))
            return try fields.record().map { .record($0) } ?? .unknown(type: fields.type)
        } catch {
            return .malformed(error.reason)
        }
    }

    /// The id of the `exec` that a malformed `line` was meant to be, for the answer somebody waits for.
    ///
    /// Empty where the id itself can not be read; nil for any other record.
    package static func idOfMalformedExec(_ line: [UInt8]) -> String? {
        let body = Array(line.dropFirst(marker.count))
        if let fields = try? RecordFields(body: body) {
            return fields.type == "exec" ? (try? fields.identifier("id")) ?? "" : nil
        }
        // Broken as it is, it can only be guessed; the answer to a wrong guess has an id that nobody waits for.
        let text = String(decoding: body.prefix(128), as: UTF8.self)
        return text.hasPrefix("exec ") || text.contains("\"exec\"") ? "" : nil
    }
}

/// Why a line is no record, in words for the plugin's author.
struct MalformedRecord: Error, Hashable {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

/// A record's type and fields, whichever form it was written in.
struct RecordFields {
    /// The record's type, valid as a word but perhaps unknown.
    let type: String
    private var values: [String: JSON]
    /// In the short form every value is text.
    private let isShort: Bool

    /// Reads what follows `@dd `.
    init(body: [UInt8]) throws(MalformedRecord) {
        guard body.first == UInt8(ascii: "{") else {
            let short = try ShortForm(body)
            (type, values, isShort) = (short.type, short.values, true)
            return
        }
        do {
            guard case .object(let fields) = try BoundedJSONReader.read(body)
            else { throw MalformedRecord("not an object") }
            guard let text = fields["t"]?.string else { throw MalformedRecord("no string \"t\"") }
            guard ShortForm.isType(text) else { throw MalformedRecord("\"t\" is not a type") }
            (type, values, isShort) = (text, fields, false)
        } catch let problem as MalformedJSON {
            throw MalformedRecord("\(problem.reason) (byte \(problem.offset + 4))")
        } catch let problem as MalformedRecord {
            throw problem
        } catch {
            throw MalformedRecord("not JSON")
        }
    }

    /// Whether there is anything under `key`; null counts as nothing.
    func has(_ key: String) -> Bool { values[key] != nil && values[key] != .null }

    /// The text under `key`, at most `limit` bytes; nil where there is none.
    func text(_ key: String, limit: Int = PluginLineLimits.title) throws(MalformedRecord) -> String? {
        guard has(key) else { return nil }
        guard let text = values[key]?.string else { throw MalformedRecord("\"\(key)\" is not a string") }
        guard text.utf8.count <= limit else {
            throw MalformedRecord("\"\(key)\" is longer than \(limit) bytes")
        }
        return text
    }

    /// The text under `key`, which must be there and not empty.
    func required(_ key: String, limit: Int = PluginLineLimits.title) throws(MalformedRecord) -> String {
        guard let text = try text(key, limit: limit), !text.isEmpty
        else { throw MalformedRecord("\"\(key)\" is missing") }
        return text
    }

    /// A number that is finite and not negative.
    func number(_ key: String) throws(MalformedRecord) -> Double? {
        guard has(key) else { return nil }
        guard let number = isShort ? values[key]?.string.flatMap(Self.decimal) : values[key]?.number
        else { throw MalformedRecord("\"\(key)\" is not a number") }
        guard number >= 0, number <= 1e15 else { throw MalformedRecord("\"\(key)\" is out of range") }
        return number
    }

    /// A whole number within `range`.
    func integer(_ key: String, in range: ClosedRange<Int>) throws(MalformedRecord) -> Int? {
        guard let number = try number(key) else { return nil }
        guard let integer = Int(exactly: number), range.contains(integer)
        else { throw MalformedRecord("\"\(key)\" is not a whole number of \(range)") }
        return integer
    }

    func bool(_ key: String) throws(MalformedRecord) -> Bool? {
        guard has(key) else { return nil }
        let written = isShort ? values[key]?.string.flatMap(Bool.init) : values[key]?.bool
        guard let written else { throw MalformedRecord("\"\(key)\" is not true or false") }
        return written
    }

    /// One of the raw values of an enum.
    func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        of kind: Value.Type
    ) throws(MalformedRecord) -> Value? {
        guard let text = try text(key, limit: PluginLineLimits.word) else { return nil }
        guard let value = Value(rawValue: text) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw MalformedRecord("\"\(key)\" is none of \(known)")
        }
        return value
    }

    /// An array of texts without NUL bytes; nil where there is none.
    func texts(_ key: String) throws(MalformedRecord) -> [String]? {
        guard has(key) else { return nil }
        guard let elements = values[key]?.array else { throw MalformedRecord("\"\(key)\" is not an array") }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string, !text.utf8.contains(0)
            else { throw MalformedRecord("\"\(key)\" holds something else than text without NUL") }
            texts.append(text)
        }
        return texts
    }

    /// An object whose values are texts; empty where there is none.
    func textMap(_ key: String) throws(MalformedRecord) -> [String: String] {
        guard has(key) else { return [:] }
        guard let object = values[key]?.object else { throw MalformedRecord("\"\(key)\" is not an object") }
        var map: [String: String] = [:]
        for (name, value) in object {
            guard let text = value.string, !text.utf8.contains(0), !name.isEmpty,
                !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") })
            else { throw MalformedRecord("\"\(key)\" holds something else than names and text") }
            map[name] = text
        }
        return map
    }

    /// A plain decimal number; none of the words, hexadecimal forms or signs that `Double.init` takes as well.
    private static func decimal(_ text: String) -> Double? {
        guard text.utf8.count <= PluginLineLimits.number,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }
}
