// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockConfig
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockWorker
internal import FoundationEssentials
internal import SystemPackage

/// The command `drydock plugin check`.
struct PluginCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks one plugin as builds will use it, before any does.",
        discussion: """
            Its files and manifest, and of a driver its verbs: on an empty project, on a hostile one, and on yours with
            --project, which it then builds three times: plainly, with a newer host, and cancelled. The plugin runs in the
            sandboxes that it has in a build, never outside. The exit status is 1 when there is an error.

            EXAMPLES
              drydock plugin check ./plugins/50-zip
              drydock plugin check zip --project examples/zip
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions
    @OptionGroup var options: ProjectOptions

    @Option(
        name: .customLong("project"),
        help: ArgumentHelp("A project that it is to build.", valueName: "dir")
    )
    var path: String?

    @Flag(help: "JSON instead of lines.") var json = false

    @Argument(help: ArgumentHelp("The plugin's folder or file, or its name.", valueName: "dir|name"))
    var plugin: String

    func run() async throws {
        let configuration = try place.configuration()
        let known = try plugins.all(configuration)
        let target = try PluginTarget(plugin, among: known)
        let directories = [target.directory] + known.filter { $0 != target.directory }
        let catalog = PluginCatalog.load(directories: directories)
        var report = PluginCheckReport(path: target.path)
        report.findings = FolderCheck.findings(directory: target.directory, entry: target.entry)
        if let plugin = catalog.plugins.first(where: { $0.path == target.path }) {
            report.plugin = plugin
            report.findings += SurroundingsCheck.findings(plugin, in: catalog)
            try await tryOut(plugin, catalog, configuration, directories, &report)
        } else if !report.hasErrors {
            report.findings.append(PluginFinding(.error, "files", target.reason(in: catalog)))
        }
        try report.show(json: json)
        if report.hasErrors { throw ExitStatus.failed.code }
    }

    private func tryOut(
        _ plugin: Plugin,
        _ catalog: PluginCatalog,
        _ configuration: ServerConfiguration,
        _ directories: [String],
        _ report: inout PluginCheckReport
    ) async throws {
        let project = try path.map { try ProjectDirectory.resolve($0, for: "plugin check --project") }
        guard plugin.manifest.kind == .driver || project != nil else { return }
        let bench = try await CheckBench(configuration, plugins: directories)
        defer { bench.discard() }
        let trial = PluginTrial(plugin, shop: bench.shop)
        let missing = trial.missingCommands
        report.findings += SurroundingsCheck.findings(missing: missing)
        do {
            if plugin.manifest.kind == .driver { try await look(trial, plugin, bench, project, &report) }
            if let project, missing.isEmpty { try await build(trial, project, &report) }
        } catch let failure as Failure {
            throw CommandProblem("plugin check \(self.plugin)", failure)
        }
    }

    private func look(
        _ trial: PluginTrial,
        _ plugin: Plugin,
        _ bench: CheckBench,
        _ project: String?,
        _ report: inout PluginCheckReport
    ) async throws {
        let empty = try bench.folder("empty")
        report.take(try await trial.look(at: empty.string, place: "on an empty project", probing: true))
        let hostile = try bench.folder("hostile")
        try HostileProject.make(at: hostile, globs: plugin.manifest.detect.files)
        report.take(try await trial.look(at: hostile.string, place: "on a hostile project"))
        guard let project else { return }
        let own = try await trial.look(
            at: project,
            try options.part(),
            place: "on the project",
            isItsOwn: true
        )
        report.take(own)
    }

    private func build(
        _ trial: PluginTrial,
        _ project: String,
        _ report: inout PluginCheckReport
    ) async throws {
        let (part, parameters) = (try options.part(), try options.parameters())
        let plain = try await trial.build(project, part, parameters, kind: .plain)
        report.take(plain, "run on the project")
        guard plain.failure == nil else { return }
        report.take(
            try await trial.build(project, part, parameters, kind: .newerHost),
            "run with a newer host"
        )
        report.take(try await trial.build(project, part, parameters, kind: .cancelled), "run, cancelled")
    }
}

/// Which plugin is meant: a folder or file of a plugin directory.
struct PluginTarget {
    /// The plugin directory, links resolved.
    let directory: String
    let entry: String

    var path: String { "\(directory)/\(entry)" }

    /// `text` is a path, or the name of a plugin of these directories, the first one with it.
    init(_ text: String, among directories: [String]) throws {
        if text.contains("/") || FileManager.default.fileExists(atPath: text) {
            guard let path = realPathOf(text), let entry = FilePath(path).lastComponent else {
                throw CommandProblem(.usage, "plugin check \(text)", why: "there is no such folder or file")
            }
            (directory, self.entry) = (FilePath(path).removingLastComponent().string, entry.string)
            return
        }
        for directory in directories.compactMap(realPathOf) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory))?.sorted() ?? []
            let isMeant = { (name: String) in
                name.dropFirst(3).prefix { $0 != "." } == text && !name.hasSuffix(".json")
            }
            guard let entry = names.first(where: isMeant) else { continue }
            (self.directory, self.entry) = (directory, entry)
            return
        }
        let names = PluginCatalog.load(directories: directories).plugins.map(\.name.rawValue)
        throw CommandProblem(
            .usage,
            "plugin check",
            why: "there is no plugin '\(text)'",
            remedy: Spelling.hint(text, among: names) ?? "`drydock plugin list` shows those there are"
        )
    }

    /// Why a catalog does not have it.
    func reason(in catalog: PluginCatalog) -> String {
        catalog.invalid.first { $0.path == path }?.reason
            ?? catalog.invalid.first { $0.path == directory }?.reason
            ?? "it is no plugin: `lib`, `observers`, `presets`, README files and names with a dot are passed over"
    }
}
