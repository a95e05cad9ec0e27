// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Any JSON value, for what other people's schemas decide: a step's `with`, unknown record fields.
package enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    /// A whole number above 2^53, where a `Double` would round; smaller ones are `number`.
    case whole(UInt64)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// A whole number, exactly where it is not far below zero.
    package init(_ integer: some BinaryInteger) {
        if let whole = UInt64(exactly: integer), whole > 1 << 53 {
            self = .whole(whole)
        } else {
            self = .number(Double(integer))
        }
    }

    /// The value under `key`, nil where this is no object or has no such key.
    package subscript(key: String) -> JSON? {
        guard case .object(let fields) = self else { return nil }
        return fields[key]
    }

    /// The text, nil where this is no string.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The number as an integer, nil where this is none or not a whole one.
    package var integer: Int? {
        switch self {
        case .number(let number): Int(exactly: number)
        case .whole(let number): Int(exactly: number)
        default: nil
        }
    }

    /// The number, nil where this is none.
    package var number: Double? {
        switch self {
        case .number(let number): number
        case .whole(let number): Double(number)
        default: nil
        }
    }

    /// The truth value, nil where this is none.
    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements, nil where this is no array.
    package var array: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The fields, nil where this is no object.
    package var object: [String: JSON]? {
        guard case .object(let fields) = self else { return nil }
        return fields
    }
}

extension JSON: Codable {
    /// Reads any JSON value.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            let whole = value > 0x1p53 ? try? container.decode(UInt64.self) : nil
            self = whole.map { JSON($0) } ?? .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    /// Writes the value; whole numbers without a fraction.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value):
            if let whole = Int64(exactly: value) {
                try container.encode(whole)
            } else {
                try container.encode(value)
            }
        case .whole(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
