// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockPlugins
internal import FoundationEssentials

/// The command `drydock plugin`.
struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Looks at plugins, checks them, and begins new ones.",
        discussion: """
            EXAMPLES
              drydock plugin list
              drydock plugin list --plugins ./plugins --json
            """,
        subcommands: [
            PluginListCommand.self, PluginShowCommand.self, PluginNewCommand.self, PluginCheckCommand.self,
            PluginObserveCommand.self,
        ]
    )
}

/// The command `drydock plugin list`.
struct PluginListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the plugins that are used, those that are shadowed, and why others are invalid.",
        discussion: """
            The exit status is 1 when there are invalid ones.

            EXAMPLES
              drydock plugin list
              drydock plugin list --plugins ./plugins
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions
    @Flag(help: "JSON instead of a table.") var json = false

    func run() async throws {
        let catalog = PluginCatalog.load(directories: try plugins.all(place.configuration()))
        if json {
            Console.bytes(try PluginReport.json(catalog) + [UInt8(ascii: "\n")])
        } else {
            for line in PluginReport.lines(catalog) { Console.wrapped(TerminalText.plain(line), indent: 30) }
        }
        if !catalog.invalid.isEmpty { throw ExitStatus.failed.code }
    }
}

/// A catalog as people and programs read it.
enum PluginReport {
    private struct Row: Encodable {
        var name: String
        var title: String?
        var version: String?
        var kind: String?
        var state: String
        var path: String
        var reason: String?
        var digest: Digest?
    }

    static func json(_ catalog: PluginCatalog) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(["plugins": rows(catalog)]))
    }

    static func lines(_ catalog: PluginCatalog) -> [String] {
        rows(catalog).map { row in
            let first =
                "\(row.state.padded(to: 9)) \(row.name.padded(to: 12)) \((row.kind ?? "").padded(to: 7))"
            return first + " " + (row.reason.map { "\(row.path): \($0)" } ?? row.title ?? "")
        }
    }

    private static func rows(_ catalog: PluginCatalog) -> [Row] {
        let valid = catalog.plugins.map { row($0, state: "valid") }
        let shadowed = catalog.shadowed.map { shadowed in
            var row = row(shadowed.plugin, state: "shadowed")
            row.reason = "\(shadowed.by) comes first"
            return row
        }
        let invalid = catalog.invalid.map { invalid in
            Row(
                name: invalid.path.split(separator: "/").last.map(String.init) ?? invalid.path,
                state: "invalid",
                path: invalid.path,
                reason: invalid.reason
            )
        }
        return valid + shadowed + invalid
    }

    private static func row(_ plugin: Plugin, state: String) -> Row {
        Row(
            name: plugin.name.rawValue,
            title: plugin.manifest.title,
            version: plugin.manifest.version,
            kind: plugin.manifest.kind.rawValue,
            state: state,
            path: plugin.path,
            digest: plugin.digest
        )
    }
}
