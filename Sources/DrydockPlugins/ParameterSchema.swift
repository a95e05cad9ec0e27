// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// What a step's `with` may hold: a small part of JSON Schema, read once, so that a wrong schema is the plugin's error
/// and a wrong parameter the project's.
package struct ParameterSchema: Hashable, Sendable {
    var properties: [String: ParameterRule]
    var required: [String]

    static let types = ["string", "number", "integer", "boolean", "array", "object"]

    init(_ fields: ManifestFields) throws(ManifestProblem) {
        properties = [:]
        for (name, json) in try fields.object("properties", allowing: nil)?.values ?? [:] {
            properties[name] = try ParameterRule(ManifestFields(json, at: "the parameter \"\(name)\""))
        }
        required = try fields.texts("required") ?? []
        if let stranger = required.first(where: { properties[$0] == nil }) {
            throw ManifestProblem("\"config\" requires \"\(stranger)\", which is none of its properties")
        }
    }
}

/// What one parameter may be.
struct ParameterRule: Hashable, Sendable {
    /// nil = anything.
    var type: String?
    /// `enum`: the only values there are.
    var choices: [JSON]?
    /// `pattern`, for texts.
    var pattern: CharacterPattern?
    /// `maxLength`, for texts: Unicode scalars.
    var maxLength: Int?

    init(_ fields: ManifestFields) throws(ManifestProblem) {
        type = try fields.text("type")
        if let type, !ParameterSchema.types.contains(type) {
            throw ManifestProblem(
                "a parameter's type is \"\(type)\"; there are \(ParameterSchema.types.joined(separator: ", "))"
            )
        }
        choices = fields.values["enum"]?.array
        pattern = try fields.text("pattern").map { text throws(ManifestProblem) in try CharacterPattern(text)
        }
        maxLength = try fields.integer("maxLength", in: 0...1_048_576)
    }

    /// What a value should be and is not, as the end of "… should "; nil when it fits.
    func mismatch(_ value: JSON) -> String? {
        if let type, !Self.fits(value, type) { return "be a \(type)" }
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

    private static func fits(_ value: JSON, _ type: String) -> Bool {
        switch type {
        case "string": value.string != nil
        case "number": value.number != nil
        case "integer": value.integer != nil
        case "boolean": value.bool != nil
        case "array": value.array != nil
        default: value.object != nil
        }
    }
}

/// The part of JSON Schema's `pattern` that is one pass over the text: `^[a-z0-9_-]*$`, with `+` for "not empty".
struct CharacterPattern: Hashable, Sendable {
    let text: String
    private let ranges: [ClosedRange<UInt32>]
    private let mayBeEmpty: Bool

    init(_ text: String) throws(ManifestProblem) {
        let problem = ManifestProblem(
            "the pattern \"\(text)\" is not of the form ^[a-z0-9_-]*$ or ^[a-z0-9_-]+$"
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
