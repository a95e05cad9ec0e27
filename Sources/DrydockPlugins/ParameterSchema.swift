// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a step's `with` may hold: a small part of JSON Schema, read once, so that a wrong schema is the plugin's error
/// and a wrong parameter the project's.
package struct ParameterSchema: Hashable, Sendable, FieldReadable {
    var properties: [String: ParameterRule]
    var required: [String]

    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        properties = try fields.optional("properties") ?? [:]
        required = try fields["required"]?.texts() ?? []
        if let stranger = required.first(where: { properties[$0] == nil }) {
            throw field.problem("requires '\(stranger.prefix(64))', which is none of its properties")
        }
    }
}

extension ParameterSchema {
    /// The parameters in one line, for people: `targets (string, required), tests (boolean)`.
    package var summary: String {
        properties.sorted { $0.key < $1.key }.map { name, rule in
            let kind =
                rule.choices.map { $0.compactMap(\.string).joined(separator: "|") } ?? rule.kind?.rawValue
                ?? "anything"
            return "\(name) (\(kind)\(required.contains(name) ? ", required" : ""))"
        }.joined(separator: ", ")
    }
}

/// What one parameter may be.
struct ParameterRule: Hashable, Sendable, FieldReadable {
    enum Kind: String, CaseIterable, FieldReadable {
        case string
        case number
        case integer
        case boolean
        case array
        case object
    }

    /// `type`; nil = anything.
    var kind: Kind?
    /// `enum`: the only values there are.
    var choices: [JSON]?
    /// `pattern`, for texts.
    var pattern: CharacterPattern?
    /// `maxLength`, for texts: Unicode scalars.
    var maxLength: Int?

    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        kind = try fields.optional("type")
        choices = try fields.optional("enum")
        pattern = try fields.optional("pattern")
        maxLength = try fields["maxLength"]?.integer(in: 0...1_048_576)
    }

    /// What a value should be and is not, as the end of "… should "; nil when it fits.
    func mismatch(_ value: JSON) -> String? {
        if let kind, !kind.fits(value) { return "be a \(kind.rawValue)" }
        if let choices, !choices.contains(value) {
            return "be "
                + choices.map { $0.string.map { "\"\($0)\"" } ?? "another value" }.joined(separator: " or ")
        }
        guard let text = value.string else { return nil }
        if let maxLength, text.unicodeScalars.count > maxLength {
            return "have at most \(maxLength) characters, and has \(text.unicodeScalars.count); "
                + "put it into a file of the project"
        }
        return pattern?.mismatch(text)
    }
}

extension ParameterRule.Kind {
    fileprivate func fits(_ value: JSON) -> Bool {
        switch self {
        case .string: value.string != nil
        case .number: value.number != nil
        case .integer: value.integer != nil
        case .boolean: value.bool != nil
        case .array: value.array != nil
        case .object: value.object != nil
        }
    }
}

/// The part of JSON Schema's `pattern` that is one pass over the text: `^[a-z0-9_-]*$`, with `+` for "not empty".
struct CharacterPattern: Hashable, Sendable, FieldReadable {
    let text: String
    private let ranges: [ClosedRange<UInt32>]
    private let mayBeEmpty: Bool

    init(_ field: Field) throws(FieldProblem) {
        let text = try field.text(limit: 4_096)
        let problem = field.problem(
            "is '\(text.prefix(64))', which is not of the form ^[a-z0-9_-]*$ or ^[a-z0-9_-]+$"
        )
        guard text.hasPrefix("^["), text.hasSuffix("]*$") || text.hasSuffix("]+$") else { throw problem }
        let inner = Array(text.dropFirst(2).dropLast(3).unicodeScalars)
        guard !inner.isEmpty, inner.first != "^", !inner.contains("]"), !inner.contains("[") else {
            throw problem
        }
        var ranges: [ClosedRange<UInt32>] = []
        var index = 0
        while index < inner.count {
            if inner[index] == "\\" { index += 1 }
            guard index < inner.count else { throw problem }
            let first = inner[index].value
            if index + 2 < inner.count, inner[index + 1] == "-" {
                guard inner[index + 2].value >= first else { throw problem }
                ranges.append(first...inner[index + 2].value)
                index += 3
            } else {
                ranges.append(first...first)
                index += 1
            }
        }
        self.text = text
        self.ranges = ranges
        mayBeEmpty = text.hasSuffix("*$")
    }

    func mismatch(_ value: String) -> String? {
        if value.isEmpty, !mayBeEmpty { return "not be empty" }
        let stranger = value.unicodeScalars.first { scalar in
            !ranges.contains { $0.contains(scalar.value) }
        }
        guard let stranger else { return nil }
        let shown =
            stranger.value < 0x20 || stranger.value == 0x7F ? "a control character" : "\"\(stranger)\""
        return "hold only \(text.dropFirst().dropLast(2)), not \(shown)"
    }
}
