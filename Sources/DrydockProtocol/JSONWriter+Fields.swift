// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// Key and value in one call; nil leaves both away.
extension JSONWriter {
    package mutating func field(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    package mutating func field(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        key(name)
        integer(value)
    }

    package mutating func field(_ name: StaticString, _ value: Double?) {
        guard let value else { return }
        key(name)
        number(value)
    }

    package mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// Bytes.
    package mutating func field(_ name: StaticString, _ value: ByteCount?) {
        guard let value else { return }
        key(name)
        integer(value.bytes)
    }

    /// Whole milliseconds; the name says so: `…_ms`.
    package mutating func field(_ name: StaticString, _ value: Duration?) {
        guard let value else { return }
        key(name)
        integer(value.milliseconds)
    }

    package mutating func field(_ name: StaticString, _ value: [String]?) {
        guard let value else { return }
        key(name)
        array(value) { $0.string($1) }
    }

    package mutating func field(_ name: StaticString, _ value: Failure?) {
        guard let value else { return }
        key(name)
        object {
            $0.field("code", value.code.rawValue)
            $0.field("fault", value.fault.rawValue)
            $0.field("message", value.message)
            $0.field("hint", value.hint)
            $0.field("file", value.file)
            $0.field("line", value.line)
            if let details = value.details {
                $0.key("details")
                $0.object { details.write(to: &$0) }
            }
        }
    }

    /// An object of texts, in the order of their keys.
    package mutating func texts(_ values: [String: String]) {
        object { writer in
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                writer.key(text: name)
                writer.string(value)
            }
        }
    }

    /// Any JSON value; the keys of objects in alphabetical order, so that equal values are equal bytes.
    package mutating func json(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let value): number(value)
        case .whole(let value): integer(value)
        case .string(let value): string(value)
        case .array(let elements): array(elements) { $0.json($1) }
        case .object(let fields):
            object { writer in
                for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
                    writer.key(text: name)
                    writer.json(value)
                }
            }
        }
    }
}
