// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What a field can be read as without saying more.
package protocol FieldReadable {
    init(_ field: Field) throws(FieldProblem)
}

extension String: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) { self = try field.text() }
}

extension Bool: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) { self = try field.bool() }
}

extension Double: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) { self = try field.number() }
}

extension FieldReadable where Self: FixedWidthInteger {
    package init(_ field: Field) throws(FieldProblem) { self = try field.integer() }
}

extension Int: FieldReadable {}
extension Int64: FieldReadable {}
extension UInt64: FieldReadable {}

extension JSON: FieldReadable {
    package init(_ field: Field) { self = field.value }
}

extension Array: FieldReadable where Element: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        self = try field.list { element throws(FieldProblem) in try Element(element) }
    }
}

extension Dictionary: FieldReadable where Key == String, Value: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        self = [:]
        for (key, field) in try field.fields().all { self[key] = try Value(field) }
    }
}

extension ByteCount: FieldReadable {
    /// A bare number of bytes.
    package init(_ field: Field) throws(FieldProblem) { self.init(try field.integer() as Int64) }
}

extension Timestamp: FieldReadable {
    /// Unix seconds.
    package init(_ field: Field) throws(FieldProblem) { self.init(seconds: try field.number()) }
}

extension StringIdentifier {
    /// The text, where it follows the rule of its type.
    package init(_ field: Field) throws(FieldProblem) {
        let text = try field.text()
        guard let value = Self(rawValue: text) else {
            throw field.refused(text, hint: Self.rule)
        }
        self = value
    }
}

extension RelativePath {
    package init(_ field: Field) throws(FieldProblem) {
        let text = try field.filled()
        do throws(PathProblem) {
            try self.init(parsing: text)
        } catch {
            throw field.problem(error.explanation, hint: Self.rule)
        }
    }
}

extension FieldReadable where Self: RawRepresentable, Self: CaseIterable, RawValue == String {
    /// One of the raw values.
    package init(_ field: Field) throws(FieldProblem) {
        let text = try field.filled()
        if let choice = Self(rawValue: text) {
            self = choice
            return
        }
        let all = Self.allCases.map(\.rawValue)
        let hint = Spelling.hint(text, among: all) ?? "one of \(all.joined(separator: ", "))"
        throw field.refused(text, hint: hint)
    }
}
