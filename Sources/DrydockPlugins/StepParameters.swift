// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import FoundationEssentials

/// A step's `with`: checked against what the plugin's manifest allows, and as a guest sees it.
package enum StepParameters {
    /// Why a parameter does not fit, and which.
    package struct Problem: Hashable, Sendable {
        /// nil = one that is missing.
        package var key: String?
        package var message: String
        package var hint: String?

        /// As a failure of the project's.
        package var failure: Failure {
            Failure(.configInvalid, .user, message, hint: hint, file: "drydock.yaml")
        }
    }

    /// Why `with` does not fit the plugin's `config`; nil when it does.
    package static func problem(_ with: JSON, plugin: Plugin) -> Problem? {
        let values = with.object ?? [:]
        if let key = values.keys.sorted().first(where: { values[$0]?.containsNUL == true }) {
            return Problem(key: key, message: "the parameter \"\(key)\" holds a NUL character")
        }
        if plugin.manifest.kind == .guest, let lost = lostVariable(values.keys.sorted()) { return lost }
        guard let schema = plugin.manifest.config else { return nil }
        if let stranger = values.keys.sorted().first(where: { schema.properties[$0] == nil }) {
            return Problem(
                key: stranger,
                message: "the plugin \(plugin.name) has no parameter \"\(stranger.prefix(64))\"",
                hint: schema.properties.isEmpty
                    ? "it takes none" : "it has " + schema.properties.keys.sorted().joined(separator: ", ")
            )
        }
        if let missing = schema.required.first(where: { values[$0] == nil }) {
            let message = "the plugin \(plugin.name) needs the parameter \"\(missing)\""
            return Problem(key: nil, message: message, hint: "add it to 'with'")
        }
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let mismatch = schema.properties[key]?.mismatch(value) else { continue }
            return Problem(
                key: key,
                message: "the parameter \"\(key)\" of the plugin \(plugin.name) should \(mismatch)"
            )
        }
        return nil
    }

    /// Why a guest would not see one of these parameters: as a variable it has no name, or another one's.
    private static func lostVariable(_ keys: [String]) -> Problem? {
        var seen: [String: String] = [:]
        for key in keys {
            guard let name = variable(key) else {
                return Problem(
                    key: key,
                    message: "the parameter \"\(key.prefix(64))\" can not be the name of a variable",
                    hint: "use letters, digits, - and _"
                )
            }
            if let other = seen.updateValue(key, forKey: name) {
                return Problem(
                    key: key,
                    message: "the parameters \"\(other)\" and \"\(key)\" are both the variable \(name)",
                    hint: "leave one of them out"
                )
            }
        }
        return nil
    }

    /// `DRYDOCK_WITH_<KEY>`; nil where that is no name.
    private static func variable(_ key: String) -> String? {
        let isName =
            !key.isEmpty
            && key.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
        return isName ? "DRYDOCK_WITH_" + key.uppercased().replacing("-", with: "_") : nil
    }

    /// Bytes of the longest value that a variable holds; Linux takes 128 KiB for name and value together.
    static let longestVariable = 64 << 10

    /// `DRYDOCK_WITH_<KEY>` for each parameter whose name can be a variable's.
    static func environment(_ with: JSON) -> [String: String] {
        var variables: [String: String] = [:]
        for (key, value) in with.object ?? [:] {
            guard let name = variable(key), let text = text(value), !text.utf8.contains(0) else { continue }
            variables[name] = text
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

extension JSON {
    /// Whether any text in it, keys included, holds a NUL.
    var containsNUL: Bool {
        switch self {
        case .null, .bool, .number, .whole: false
        case .string(let text): text.utf8.contains(0)
        case .array(let elements): elements.contains(where: \.containsNUL)
        case .object(let fields): fields.contains { $0.key.utf8.contains(0) || $0.value.containsNUL }
        }
    }
}
