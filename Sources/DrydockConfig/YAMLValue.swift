// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// A value of a file that people write, with the line it stands on.
struct YAMLValue: Sendable {
    enum Content: Sendable {
        case null
        case bool(Bool)
        case integer(Int)
        case number(Double)
        case text(String)
        case list([YAMLValue])
        case table([YAMLField])
    }

    var content: Content
    /// From 1; nil for what does not come from a file.
    var line: Int?

    /// What people call it.
    var typeName: String {
        switch content {
        case .null: "nothing"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .text: "text"
        case .list: "a list"
        case .table: "a table of keys"
        }
    }

    /// The value under `key`, where this is a table that has it.
    func field(_ key: String) -> YAMLValue? {
        guard case .table(let fields) = content else { return nil }
        return fields.first { $0.key == key }?.value
    }

    /// The same for schemas of other people.
    var json: JSON {
        switch content {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .number(Double(value))
        case .number(let value): .number(value)
        case .text(let value): .string(value)
        case .list(let values): .array(values.map(\.json))
        case .table(let fields):
            .object(Dictionary(fields.map { ($0.key, $0.value.json) }, uniquingKeysWith: { $1 }))
        }
    }
}

/// One `key: value`.
struct YAMLField: Sendable {
    var key: String
    var line: Int?
    var value: YAMLValue
}

extension YAMLValue.Content {
    /// What an unquoted word means: YAML 1.2's core schema, so that `no` and `1:30` stay text.
    ///
    /// Source: YAML 1.2.2, section 10.3.2.
    init(plain word: String) {
        switch word {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        default:
            if let integer = Int(word) {
                self = .integer(integer)
            } else if let first = word.utf8.first, "+-.0123456789".utf8.contains(first),
                word.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) }),
                let number = Double(word), number.isFinite
            {
                self = .number(number)
            } else {
                self = .text(word)
            }
        }
    }
}
