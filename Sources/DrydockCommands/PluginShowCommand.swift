// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockPlugins

/// The command `drydock plugin show`.
struct PluginShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Says what one plugin recognises, may ask for, and takes.",
        discussion: """
            EXAMPLES
              drydock plugin show python
              drydock plugin show --plugins ./plugins zip
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions
    @Argument(help: "The plugin's name.") var name: String

    func run() async throws {
        let catalog = PluginCatalog.load(directories: try plugins.all(place.configuration()))
        guard let wanted = PluginName(rawValue: name), let plugin = catalog[wanted] else {
            let invalid = catalog.invalid.first { $0.path.hasSuffix("-\(name)") }
            let nearest = Spelling.nearest(name, in: catalog.plugins.map(\.name.rawValue))
            throw CommandProblem(
                .usage,
                "plugin show",
                why: invalid.map { "\($0.path) is invalid: \($0.reason)" } ?? "there is no plugin '\(name)'",
                remedy: nearest.map { "did you mean \($0)?" } ?? "`drydock plugin list` shows those there are"
            )
        }
        for (key, value) in Self.rows(plugin) where !value.isEmpty {
            Console.wrapped(TerminalText.plain("\(key.padded(to: 12))\(value)"), indent: 12)
        }
        for shadowed in catalog.shadowed where shadowed.plugin.name == plugin.name {
            Console.wrapped(TerminalText.plain("shadows     \(shadowed.plugin.path)"), indent: 12)
        }
    }

    private static func rows(_ plugin: Plugin) -> [(String, String)] {
        let manifest = plugin.manifest
        let detect = manifest.detect.files.joined(separator: ", ")
        return [
            ("name", "\(plugin.name) \(manifest.version)"), ("title", manifest.title),
            ("kind", manifest.kind.rawValue),
            ("path", plugin.path), ("digest", plugin.digest.rawValue),
            (
                "verbs",
                manifest.kind == .driver ? manifest.verbs.map(\.rawValue).sorted().joined(separator: " ") : ""
            ),
            (
                "recognises",
                detect.isEmpty
                    ? "nothing: it is used where it is named" : "\(detect) (score \(manifest.detect.score))"
            ),
            ("stages", manifest.stages.map { "\($0.id.rawValue) (\($0.title))" }.joined(separator: ", ")),
            ("needs", manifest.commands.joined(separator: ", ")),
            ("network", manifest.permits.network.map(\.description).joined(separator: ", ")),
            (
                "observers",
                (manifest.observers + plugin.observers.map(\.name)).map(\.rawValue).joined(separator: ", ")
            ),
            ("parameters", manifest.config?.summary ?? "any"),
            (
                "gives out",
                manifest.artifacts.map { "\($0.path) (\($0.role.rawValue))" }.joined(separator: ", ")
            ),
        ]
    }
}
