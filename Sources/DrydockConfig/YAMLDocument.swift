// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Yams

/// Reads one YAML document that nobody has vouched for.
enum YAMLDocument {
    /// Bytes of a file.
    static let largest = 256 * 1_024
    /// Values, those that aliases repeat counted each time.
    private static let mostValues = 20_000
    private static let deepest = 32
    /// Uses of anchors.
    ///
    /// Sixteen can repeat a value some 350 times at most; a bomb needs more.
    private static let mostAliases = 16

    /// Parses `bytes`; nil when the document is empty.
    ///
    /// `file` is its name for messages.
    static func parse(_ bytes: [UInt8], file: String) throws(FieldProblem) -> Field? {
        if bytes.count > largest {
            throw FieldProblem("\(file) has \(bytes.count) bytes; at most \(largest) are read")
        }
        let text = try text(of: bytes, file: file)
        if let line = lineOfTooManyAliases(bytes) {
            throw FieldProblem(
                "\(file) uses anchors more than \(mostAliases) times",
                hint: "write the repeated parts out",
                line: line
            )
        }
        guard let node = try compose(text, file: file) else { return nil }
        var conversion = Conversion(file: file)
        let (value, places) = try conversion.value(node, depth: 0)
        return value == .null ? nil : Field(value, file, .document, places: places)
    }

    /// The file's text; a byte order mark in front of it, which some editors write, is no part of it.
    private static func text(of bytes: [UInt8], file: String) throws(FieldProblem) -> String {
        let isWide = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        if !isWide, let text = String(validating: content, as: UTF8.self) { return text }
        throw FieldProblem("\(file) is \(isWide ? "UTF-16" : "not UTF-8 text")", hint: "save it as UTF-8")
    }

    private static func compose(_ text: String, file: String) throws(FieldProblem) -> Node? {
        do {
            return try Parser(yaml: text, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw YAMLDocument.failure(error, text: text, file: file)
        } catch {
            throw FieldProblem("\(file) is not YAML: \(error)")
        }
    }

    private static func failure(_ error: YamlError, text: String, file: String) -> FieldProblem {
        let (problem, line): (String, Int?) =
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (problem, mark.line)
            case .duplicatedKeysInMapping(let duplicates, let context):
                duplicate(duplicates.first ?? "", from: context.mark, in: text)
            case .reader(let problem, let offset, _, _):
                // A control character, mostly.
                (
                    problem,
                    offset.map { offset in 1 + text.utf8.prefix(offset).count { $0 == UInt8(ascii: "\n") } }
                )
            default: ("it can not be read", nil)
            }
        return FieldProblem("\(file) is not valid: \(problem)", line: line)
    }

    /// A key that stands twice, and the line of its second place: Yams tells the first one's.
    private static func duplicate(_ key: String, from first: Mark, in text: String) -> (String, Int) {
        let second =
            YAMLKeySearch(key: key, line: first.line, column: first.column).lineOfNext(in: text) ?? first.line
        let place = second == first.line ? "" : ", first in line \(first.line)"
        return ("the key '\(key.prefix(64))' stands twice\(place)", second)
    }

    /// The line on which there are more uses of anchors than allowed; nil when there are not.
    ///
    /// Looked for in the text, before it is composed: comparing the keys of a bomb's mappings takes exponential time. What
    /// looks like an alias counts when what looks like its anchor stands before it, inside of scripts too.
    private static func lineOfTooManyAliases(_ bytes: [UInt8]) -> Int? {
        var anchors: Set<ArraySlice<UInt8>> = []
        var aliases = 0
        var line = 1
        for place in bytes.indices {
            if bytes[place] == UInt8(ascii: "\n") { line += 1 }
            guard bytes[place] == UInt8(ascii: "&") || bytes[place] == UInt8(ascii: "*") else { continue }
            let name = bytes[(place + 1)...].prefix(while: isNameByte)
            if name.isEmpty { continue }
            if bytes[place] == UInt8(ascii: "&") {
                anchors.insert(name)
            } else if anchors.contains(name) {
                aliases += 1
                if aliases > mostAliases { return line }
            }
        }
        return nil
    }

    /// libyaml's names of anchors.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Turns nodes into values of ours, counting them.
    private struct Conversion {
        let file: String
        var values = 0

        mutating func value(_ node: Node, depth: Int) throws(FieldProblem) -> (JSON, Places) {
            values += 1
            let line = node.mark?.line
            if depth > deepest { throw refusal("is nested more than \(deepest) deep", line) }
            if values > mostValues { throw refusal("has more than \(mostValues) values", line) }
            switch node {
            case .scalar(let scalar): return (try value(scalar), Places(line: line))
            case .sequence(let sequence):
                try checkTag(sequence.tag, line)
                var list: [(JSON, Places)] = []
                for element in sequence { list.append(try value(element, depth: depth + 1)) }
                return (.array(list.map(\.0)), Places(line: line, elements: list.map(\.1)))
            case .mapping(let mapping):
                try checkTag(mapping.tag, line)
                var fields: [String: JSON] = [:]
                var entries: [String: Places.Entry] = [:]
                for (key, element) in mapping {
                    let name = try self.key(key)
                    let (value, places) = try value(element, depth: depth + 1)
                    entries[name] = Places.Entry(keyLine: key.mark?.line, places: places)
                    if fields.updateValue(value, forKey: name) != nil {
                        throw refusal("has the key '\(name.prefix(64))' twice", key.mark?.line)
                    }
                }
                return (.object(fields), Places(line: line, fields: entries))
            case .alias: throw refusal("has an alias that leads nowhere", line)
            }
        }

        private func key(_ node: Node) throws(FieldProblem) -> String {
            guard case .scalar(let scalar) = node else {
                throw refusal("has a key that is not a word", node.mark?.line)
            }
            try checkNUL(scalar)
            if scalar.string == "<<" { throw refusal("uses the merge key '<<'", scalar.mark?.line) }
            return scalar.string
        }

        private func value(_ scalar: Node.Scalar) throws(FieldProblem) -> JSON {
            try checkNUL(scalar)
            // Yams marks what is quoted as a string itself.
            if scalar.style == .plain {
                try checkTag(scalar.tag, scalar.mark?.line)
                return JSON(plain: scalar.string)
            }
            if scalar.tag.rawValue != Tag.Name.str.rawValue { try checkTag(scalar.tag, scalar.mark?.line) }
            return .string(scalar.string)
        }

        /// No string may hold a NUL: what reads it as C does would see another one than was written.
        private func checkNUL(_ scalar: Node.Scalar) throws(FieldProblem) {
            guard scalar.string.utf8.contains(0) else { return }
            throw FieldProblem(
                "\(file) has a NUL character in a text, which ends there for every program",
                hint: "take the \\0 (or \\x00) out",
                line: scalar.mark?.line
            )
        }

        private func checkTag(_ tag: Tag, _ line: Int?) throws(FieldProblem) {
            if !tag.rawValue.isEmpty { throw refusal("uses the tag '\(tag.rawValue)'", line) }
        }

        private func refusal(_ what: String, _ line: Int?) -> FieldProblem {
            FieldProblem("\(file) \(what), which is not read", line: line)
        }
    }
}
