// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers

/// What a plugin names that this machine does not have.
package enum SurroundingsCheck {
    private static let part = "manifest"

    /// What of its manifest the catalog that it is in does not have.
    package static func findings(_ plugin: Plugin, in catalog: PluginCatalog) -> [PluginFinding] {
        let known = catalog.observers(of: plugin).observers.keys
        return plugin.manifest.observers.filter { !known.contains($0) }.map { name in
            let hint = Spelling.hint(name.rawValue, among: known.map(\.rawValue).sorted())
            let remedy = "put it into the plugin's folder `observers`, or leave it out"
            return PluginFinding(.error, part, "there is no observer '\(name)'", hint: hint ?? remedy)
        }
    }

    /// Commands that it requires, and that builds would not find.
    package static func findings(missing commands: [String]) -> [PluginFinding] {
        commands.map { command in
            let hint = "builds that use the plugin end at once with plan_failed; it was not tried any further"
            let message = "it requires `\(command)`, which is not on the PATH of builds of this machine"
            return PluginFinding(.warning, part, message, hint: hint)
        }
    }
}
