// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The short form of a record: `type arg… -- text`.
struct ShortForm {
    let type: String
    private(set) var values: [String: JSON] = [:]

    /// Which fields values without a key fill, in order, and where the text goes.
    private struct Places {
        var keys: [String]
        var text: String?
    }

    private static let places: [String: Places] = [
        "hello": Places(keys: ["protocol"]),
        "stage": Places(keys: ["id", "op"], text: "title"),
        "progress": Places(keys: ["current/total"], text: "text"),
        "expect": Places(keys: ["total", "stage"]),
        "log": Places(keys: ["level"], text: "text"),
        "diag": Places(keys: ["severity"], text: "message"),
        "exec": Places(keys: ["id"], text: "script"),
        "output": Places(keys: ["key"], text: "value"),
        "mask": Places(keys: [], text: "value"),
        "artifact": Places(keys: ["path", "role"], text: "title"),
        "preview": Places(keys: ["root"]),
        "notice": Places(keys: [], text: "title"),
        "will_fail": Places(keys: [], text: "reason"),
        "error": Places(keys: ["code"], text: "message"),
        "end": Places(keys: ["ok"], text: "message"),
    ]

    /// A record type: `^[a-z][a-z0-9_.]{0,39}$`.
    static func isType(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 40 else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
        }
    }

    /// Reads what follows `@dd `.
    init(_ body: [UInt8]) throws(FieldProblem) {
        var words: [ArraySlice<UInt8>] = []
        var text: ArraySlice<UInt8>?
        var rest = body[...]
        while !rest.isEmpty {
            let word = rest.prefix { $0 != 0x20 }
            rest = rest.dropFirst(word.count + 1)
            if word.elementsEqual("--".utf8), !words.isEmpty {
                text = rest
                break
            }
            if !word.isEmpty { words.append(word) }
            guard words.count <= PluginLineLimits.fields else { throw FieldProblem("too many fields") }
        }
        guard let first = words.first else { throw FieldProblem("no type") }
        type = try Self.valid(first)
        guard Self.isType(type) else { throw FieldProblem("not a type") }
        let places = Self.places[type] ?? Places(keys: [])
        try fill(words.dropFirst(), into: places)
        if let text { try set(places.text ?? "text", try Self.valid(text)) }
    }

    private mutating func fill(
        _ words: ArraySlice<ArraySlice<UInt8>>,
        into places: Places
    ) throws(FieldProblem) {
        var free = places.keys[...]
        for word in words {
            if let equals = word.firstIndex(of: UInt8(ascii: "=")) {
                try set(try Self.decoded(word[..<equals]), try Self.decoded(word[(equals + 1)...]))
            } else if let key = free.popFirst() {
                try place(try Self.decoded(word), under: key)
            } else if Self.places[type] != nil {
                throw FieldProblem("one value too many; text comes after \" -- \"")
            }
        }
    }

    private mutating func place(_ value: String, under key: String) throws(FieldProblem) {
        guard key == "current/total" else { return try set(key, value) }
        let parts = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        try set("current", String(parts[0]))
        if parts.count == 2 { try set("total", String(parts[1])) }
    }

    private mutating func set(_ key: String, _ value: String) throws(FieldProblem) {
        guard !key.isEmpty else { throw FieldProblem("a value without its key") }
        guard values.updateValue(.string(value), forKey: key) == nil
        else { throw FieldProblem("'\(key)' stands twice") }
    }

    /// `%XX` decoded once, from left to right.
    private static func decoded(_ word: ArraySlice<UInt8>) throws(FieldProblem) -> String {
        var bytes: [UInt8] = []
        var rest = word
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(HexDigit.value),
                let low = rest.popFirst().flatMap(HexDigit.value)
            else { throw FieldProblem("% without two hexadecimal digits") }
            bytes.append(high << 4 | low)
        }
        return try valid(bytes[...])
    }

    private static func valid(_ bytes: ArraySlice<UInt8>) throws(FieldProblem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw FieldProblem("not UTF-8") }
        return text
    }
}
