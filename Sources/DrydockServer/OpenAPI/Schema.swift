// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The shapes of JSON Schema (2020-12, as OpenAPI 3.1 has it) that the document is made of.
enum Schema {
    static let text: JSON = ["type": "string"]
    /// Bytes that no schema describes.
    static let bytes: JSON = ["type": "string", "contentMediaType": "application/octet-stream"]
    static let seconds: JSON = ["type": "number", "description": "Unix seconds"]

    static func integer(_ range: ClosedRange<Int>) -> JSON {
        [
            "type": "integer", "minimum": .number(Double(range.lowerBound)),
            "maximum": .number(Double(range.upperBound)),
        ]
    }

    static func text(_ length: ClosedRange<Int>) -> JSON {
        [
            "type": "string", "minLength": .number(Double(length.lowerBound)),
            "maxLength": .number(Double(length.upperBound)),
        ]
    }

    /// One of a type's values.
    static func one<Value: CaseIterable & RawRepresentable>(of _: Value.Type) -> JSON
    where Value.RawValue == String {
        ["type": "string", "enum": .array(Value.allCases.map { .string($0.rawValue) })]
    }

    /// An object of texts.
    static let texts: JSON = ["type": "object", "additionalProperties": text]

    static func list(of element: JSON) -> JSON { ["type": "array", "items": element] }

    /// The schema that has this name in `components`.
    static func named(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    /// An object that the server reads: it refuses what it does not know.
    static func closed(_ required: [String: JSON], optional: [String: JSON] = [:]) -> JSON {
        var schema = object(required, optional: optional).object ?? [:]
        schema["additionalProperties"] = false
        return .object(schema)
    }

    /// An object that the server writes; newer servers may add fields.
    static func object(_ required: [String: JSON], optional: [String: JSON] = [:]) -> JSON {
        [
            "type": "object", "required": .array(required.keys.sorted().map(JSON.string)),
            "properties": .object(required.merging(optional) { first, _ in first }),
        ]
    }
}
