// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Any text as a key.
struct WireKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// The fields of one JSON object, read by name.
struct WireFields {
    private let container: KeyedDecodingContainer<WireKey>

    init(_ container: KeyedDecodingContainer<WireKey>) { self.container = container }

    func required<Value: Decodable>(_ name: String) throws -> Value {
        try container.decode(Value.self, forKey: WireKey(stringValue: name))
    }

    /// nil when the field is absent or `null`.
    func optional<Value: Decodable>(_ name: String) throws -> Value? {
        try container.decodeIfPresent(Value.self, forKey: WireKey(stringValue: name))
    }

    func duration(_ name: String) throws -> Duration {
        .milliseconds(try required(name) as Int64)
    }

    func optionalDuration(_ name: String) throws -> Duration? {
        (try optional(name) as Int64?).map { .milliseconds($0) }
    }

    func object(_ name: String) throws -> WireFields {
        WireFields(try container.nestedContainer(keyedBy: WireKey.self, forKey: WireKey(stringValue: name)))
    }

    /// nil when the field is absent.
    func optionalObject(_ name: String) throws -> WireFields? {
        container.contains(WireKey(stringValue: name)) ? try object(name) : nil
    }

    func objects<Value>(_ name: String, _ read: (WireFields) throws -> Value) throws -> [Value] {
        var list = try container.nestedUnkeyedContainer(forKey: WireKey(stringValue: name))
        var values: [Value] = []
        while !list.isAtEnd {
            values.append(try read(WireFields(try list.nestedContainer(keyedBy: WireKey.self))))
        }
        return values
    }

    /// A code that a newer Drydock made counts as `internal`.
    func failure(_ name: String) throws -> Failure? {
        guard let fields = try optionalObject(name) else { return nil }
        let code: String = try fields.required("code")
        return Failure(
            FailureCode(rawValue: code) ?? .internal,
            try fields.required("fault"),
            try fields.required("message"),
            hint: try fields.optional("hint"),
            file: try fields.optional("file"),
            line: try fields.optional("line")
        )
    }
}
