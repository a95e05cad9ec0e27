// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The fields of one table or object, read by name.
package struct Fields: Sendable {
    /// The table itself.
    package let table: Field
    package let values: [String: JSON]
    /// The table's, made once.
    private let name: String

    init(_ table: Field, _ values: [String: JSON]) {
        self.table = table
        self.values = values
        name = table.name
    }

    /// The field under `key`; nil where there is none, and in messages where it is `null`.
    package subscript(key: String) -> Field? {
        guard let value = values[key] else { return nil }
        if value == .null, table.form != .document { return nil }
        return table.child(key, of: name, value)
    }

    /// All of them, in the order of their keys.
    package var all: [(key: String, field: Field)] {
        values.sorted { $0.key < $1.key }.map { ($0.key, table.child($0.key, of: name, $0.value)) }
    }

    /// The field under `key`, which must be there.
    package func required(_ key: String, hint: String? = nil) throws(FieldProblem) -> Field {
        if let field = self[key] { return field }
        let missing = table.child(key, of: name, .null)
        throw FieldProblem("\(missing.shown) is missing", hint: hint, line: table.line)
    }

    /// The value under `key`, which must be there.
    package func required<Value: FieldReadable>(_ key: String) throws(FieldProblem) -> Value {
        try Value(try required(key))
    }

    /// The value under `key`; nil where there is none.
    package func optional<Value: FieldReadable>(_ key: String) throws(FieldProblem) -> Value? {
        guard let field = self[key] else { return nil }
        return try Value(field)
    }

    /// Refuses keys of a document that nobody would read.
    ///
    /// Messages may come from a newer program: there such keys are ignored.
    package func allow(_ keys: [String]) throws(FieldProblem) {
        guard table.form == .document else { return }
        try require(only: keys)
    }

    /// Refuses all other keys, whoever wrote them: the first one of the file, with the nearest one there is.
    package func require(only keys: [String]) throws(FieldProblem) {
        let strangers = values.keys.filter { !keys.contains($0) }
        let lines = table.places?.fields ?? [:]
        guard let first = strangers.min(by: { (lines[$0]?.keyLine ?? 0, $0) < (lines[$1]?.keyLine ?? 0, $1) })
        else { return }
        throw .unknownKey(first, of: table.shown, among: keys, line: lines[first]?.keyLine)
    }
}
