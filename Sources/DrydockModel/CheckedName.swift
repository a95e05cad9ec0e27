// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What steps, plugins and observers are called: `^[a-z][a-z0-9-]{0,39}$`.
package protocol CheckedName: StringIdentifier {
    /// Wraps a text that is known to follow the rule; `init(rawValue:)` asks.
    init(unchecked rawValue: String)
}

extension CheckedName {
    package static var rule: String { "small letters, digits and -, a letter first, at most 40" }

    /// nil where `rawValue` breaks the rule.
    package init?(rawValue: String) {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let text = rawValue.utf8
        guard let first = text.first, letters.contains(first), text.count <= 40,
            text.allSatisfy({ letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.init(unchecked: rawValue)
    }
}

/// A step's id in its plan, unique within the build.
package struct StepID: CheckedName {
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }

    /// The id of a step that is named after its plugin.
    package init(_ plugin: PluginName) { self.init(unchecked: plugin.rawValue) }
}

/// A plugin's name in the catalog.
package struct PluginName: CheckedName {
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }

    /// The plugin that runs lines of shell.
    package static let script = PluginName(unchecked: "script")
}

/// The name of an observer: of the tool whose output it reads.
package struct ObserverName: CheckedName {
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}
