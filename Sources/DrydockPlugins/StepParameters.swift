// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import FoundationEssentials

/// A step's `with`: checked against what the plugin's manifest allows, and as a guest sees it.
enum StepParameters {
    /// Why `with` does not fit the plugin's `config`; nil when it does.
    static func problem(_ with: JSON, plugin: Plugin) -> Failure? {
        guard let config = plugin.manifest.config else { return nil }
        let values = with.object ?? [:]
        let properties = config["properties"]?.object ?? [:]
        if let stranger = values.keys.sorted().first(where: { properties[$0] == nil }) {
            return failure(
                "the plugin \(plugin.name) has no parameter \"\(stranger)\"",
                hint: properties.isEmpty
                    ? "it takes none" : "it has " + properties.keys.sorted().joined(separator: ", ")
            )
        }
        let required = config["required"]?.array?.compactMap(\.string) ?? []
        if let missing = required.first(where: { values[$0] == nil }) {
            return failure("the plugin \(plugin.name) needs the parameter \"\(missing)\"", hint: nil)
        }
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let type = properties[key]?["type"]?.string, !fits(value, type) else { continue }
            return failure(
                "the parameter \"\(key)\" of the plugin \(plugin.name) should be a \(type)",
                hint: nil
            )
        }
        return nil
    }

    private static func failure(_ message: String, hint: String?) -> Failure {
        Failure(.configInvalid, .user, message, hint: hint, file: "drydock.yaml")
    }

    private static func fits(_ value: JSON, _ type: String) -> Bool {
        switch type {
        case "string": value.string != nil
        case "number": value.number != nil
        case "integer": value.integer != nil
        case "boolean": value.bool != nil
        case "array": value.array != nil
        case "object": value.object != nil
        default: true
        }
    }

    /// `DRYDOCK_WITH_<KEY>` for each parameter whose name can be a variable's.
    static func environment(_ with: JSON) -> [String: String] {
        var variables: [String: String] = [:]
        for (key, value) in with.object ?? [:] {
            let isName = key.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
            guard isName, let text = text(value), !text.utf8.contains(0) else { continue }
            variables["DRYDOCK_WITH_" + key.uppercased().replacing("-", with: "_")] = text
        }
        return variables
    }

    private static func text(_ value: JSON) -> String? {
        switch value {
        case .null: return nil
        case .string(let text): return text
        default:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            // Finite numbers and text always encode; a variable that is not there is no danger.
            return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
