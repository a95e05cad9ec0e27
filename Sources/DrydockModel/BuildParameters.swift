// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Values that a build was asked for with, by name: whether the project declares such parameters shows when it is read.
///
/// They are no secrets: lists, journals and logs show them.
package struct BuildParameters: Hashable, Sendable, Codable {
    /// Bytes of one value.
    package static let longestValue = 4 << 10
    /// Bytes of one name.
    package static let longestName = 64
    /// Parameters of one build.
    package static let most = 64
    package static let rule =
        "a parameter is NAME=VALUE: letters, digits and _, no digit first, at most \(longestName); "
        + "a value has at most \(longestValue) bytes, and a build \(most) parameters"

    package private(set) var values: [String: String] = [:]

    /// None.
    package init() {}

    package var isEmpty: Bool { values.isEmpty }

    /// Reads `NAME=VALUE`, each as it stands in a command or an address.
    package init(pairs: some Sequence<String>) throws(FieldProblem) {
        for pair in pairs {
            guard let equals = pair.firstIndex(of: "=") else {
                throw FieldProblem("'\(pair.prefix(64))' is no NAME=VALUE")
            }
            try add(String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
        }
    }

    private mutating func add(_ name: String, _ value: String) throws(FieldProblem) {
        guard Self.isName(name) else {
            throw FieldProblem("'\(name.prefix(64))' can not be a parameter's name")
        }
        guard value.utf8.count <= Self.longestValue, !value.utf8.contains(0) else {
            throw FieldProblem("the value of '\(name)' has a NUL, or more than \(Self.longestValue) bytes")
        }
        guard values.updateValue(value, forKey: name) == nil else {
            throw FieldProblem("the parameter '\(name)' is given twice")
        }
        guard values.count <= Self.most else {
            throw FieldProblem("there are more than \(Self.most) parameters")
        }
    }

    package static func isName(_ text: String) -> Bool {
        VariableRule.isName(text) && text.utf8.count <= longestName
    }

    /// What a step sees it as: `DRYDOCK_PARAM_TARGET` for `target`.
    package static func variable(_ name: String) -> String { "DRYDOCK_PARAM_" + name.uppercased() }

    // MARK: Codable: an object of texts

    package init(from decoder: any Decoder) throws {
        values = try decoder.singleValueContainer().decode([String: String].self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

extension BuildParameters: FieldReadable {
    /// An object of texts.
    package init(_ field: Field) throws(FieldProblem) {
        for (name, value) in try field.fields().all { try add(name, try value.text()) }
    }
}
