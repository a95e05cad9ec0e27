// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A plugin's own declaration, checked (docs/plugin-protocol.md, "Manifest").
package struct Manifest: Hashable, Sendable {
    package var name: PluginName
    package var version: String
    package var title: String
    package var kind: PluginKind
    /// The command as written; what of it lies in the plugin's folder is the catalog's to say.
    package var exec: [String]
    package var verbs: Set<PluginVerb>
    package var detect: DetectRule
    package var stages: [ManifestStage]
    /// Commands that must be there.
    package var commands: [String]
    package var permits: Permits
    package var observers: [ObserverName]
    /// What a step's `with` may hold; nil = anything.
    package var config: ParameterSchema?
    package var stepTimeout: Duration?
    package var silenceTimeout: Duration?
    /// Artifacts and preview of every run that succeeds.
    package var artifacts: [ArtifactRule]
    package var preview: PreviewRule?

    /// The manifest of a guest that has none: usable by its name only.
    package init(name: PluginName) {
        self.name = name
        version = "0"
        title = name.rawValue
        kind = .guest
        exec = ["plugin"]
        verbs = [.run]
        detect = DetectRule(files: [], score: 0)
        stages = []
        commands = []
        permits = Permits()
        observers = []
        artifacts = []
    }
}

/// Where a plugin runs, and with it how far it is believed.
package enum PluginKind: String, Hashable, Sendable, CaseIterable, FieldReadable {
    /// In a sandbox of its own, asking the host to run commands.
    case driver
    /// In the build's sandbox.
    case guest
}

/// What a driver can be asked.
package enum PluginVerb: String, Hashable, Sendable, CaseIterable, FieldReadable {
    case run
    case detect
    case plan
    case selftest
}

/// How the host recognises a plugin's projects without running it.
package struct DetectRule: Hashable, Sendable {
    /// For names at the top of the project; one match is enough.
    package var files: [String]
    /// 0…100; 0 = never by itself.
    package var score: Int
}

/// A stage that a plugin may show.
package struct ManifestStage: Hashable, Sendable {
    package var id: StageID
    package var title: String
    package var weight: Double
}

/// What a plugin may ask for; the operator's policy decides.
package struct Permits: Hashable, Sendable {
    package var network: [NetworkRule] = []
    package var secrets: [String] = []
}
