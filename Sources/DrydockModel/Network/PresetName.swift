// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A tool whose index steps may ask for without knowing where it is: `pip`, `npm`.
///
/// Where that is the tool itself says, or the operator.
package struct PresetName: CheckedName {
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }

    /// Reads a name as it stands in files.
    package init(parsing text: some StringProtocol) throws(FieldProblem) {
        guard let name = PresetName(rawValue: String(text)) else {
            throw FieldProblem("'\(text.prefix(64))' is no preset's name", hint: "a name has \(Self.rule)")
        }
        self = name
    }
}

extension PresetName: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        self = try field.parsed { text throws(FieldProblem) in try Self(parsing: text) }
    }
}
