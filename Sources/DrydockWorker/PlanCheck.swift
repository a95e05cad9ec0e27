// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
package import DrydockModel
internal import DrydockPlugins
internal import FoundationEssentials

/// Looks a plan over before anything of it runs: what would fail the last step fails the build now.
struct PlanCheck {
    /// Who wrote the steps, and with that whose mistakes they are.
    enum Origin {
        case projectFile([StepID: StepLines])
        /// A plugin, by its name.
        case plugin(PluginName)
    }

    let catalog: PluginCatalog
    /// `PATH` inside.
    let path: String
    let origin: Origin
    /// The commands of the root file system that steps run in; nil = the machine's own.
    var root: CommandsOfRoot?

    /// Throws for the first step with a plugin that is not there, then for the first parameter that its plugin does not
    /// take, then for the first command that is missing.
    func check(_ steps: [PlannedStep]) throws(Failure) {
        var used: [(step: PlannedStep, plugin: Plugin)] = []
        for step in steps {
            guard let plugin = catalog[step.plugin] else {
                var failure = Self.unknownPlugin(step, catalog)
                failure.line = lines(step).plugin
                throw mine(failure)
            }
            used.append((step, plugin))
        }
        for (step, plugin) in used { try checkParameters(of: step, plugin) }
        for (step, plugin) in used { try checkCommands(of: step, plugin) }
    }

    private func lines(_ step: PlannedStep) -> StepLines {
        guard case .projectFile(let lines) = origin else { return StepLines() }
        return lines[step.id] ?? StepLines()
    }

    private func checkParameters(of step: PlannedStep, _ plugin: Plugin) throws(Failure) {
        guard let problem = StepParameters.problem(step.with, plugin: plugin) else { return }
        var failure = problem.failure
        failure.message = "step \(step.id): \(failure.message)"
        failure.line = problem.key.flatMap { lines(step).parameters[$0] } ?? lines(step).with
        throw mine(failure)
    }

    /// A mistake in steps that a plugin made is that plugin's.
    private func mine(_ failure: Failure) -> Failure {
        guard case .plugin(let name) = origin else { return failure }
        return Failure(
            .planFailed,
            .plugin,
            "the plan of the plugin \(name) can not be carried out: \(failure.message)",
            hint: failure.hint
        )
    }

    private func checkCommands(of step: PlannedStep, _ plugin: Plugin) throws(Failure) {
        let missing =
            root.map { root in plugin.manifest.commands.filter { !root.has($0) } }
            ?? Self.missing(plugin, on: path)
        guard !missing.isEmpty else { return }
        let names = missing.map { "`\($0)`" }.joined(separator: ", ")
        if let root {
            throw Failure(
                .planFailed,
                .user,
                "step \(step.id): the plugin \(plugin.name) needs \(names), not found on the PATH of its root file system "
                    + "(\(root.path))",
                hint: "name another one with 'rootfs', or have the operator import one that has it",
                file: ProjectFile.name
            )
        }
        throw Failure(
            .planFailed,
            .platform,
            "step \(step.id): the plugin \(plugin.name) needs \(names), not found on the PATH of builds (\(path))",
            hint: "install it on this machine, or name its directory in the configuration's 'toolchain'"
        )
    }

    /// The commands that its manifest requires and that builds would not find.
    static func missing(_ plugin: Plugin, on path: String) -> [String] {
        plugin.manifest.commands.filter { !isThere($0, on: path) }
    }

    /// Whether builds find the command: what is on their `PATH` is the host's own.
    private static func isThere(_ command: String, on path: String) -> Bool {
        if command.contains("/") { return FileManager.default.isExecutableFile(atPath: command) }
        return path.split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(command)")
        }
    }

    /// A plugin that a plan names and that can not be used: invalid ones with their reason, others with the nearest name.
    static func unknownPlugin(_ step: PlannedStep, _ catalog: PluginCatalog) -> Failure {
        let invalid = catalog.invalid.first { invalid in
            let name = invalid.path.split(separator: "/").last.map(String.init) ?? ""
            return name.drop { $0.isNumber }.dropFirst().prefix { $0 != "." } == step.plugin.rawValue
        }
        if let invalid {
            return Failure(
                .noPlugin,
                .user,
                "step \(step.id): the plugin '\(step.plugin)' is invalid: \(invalid.path): \(invalid.reason)",
                file: ProjectFile.name
            )
        }
        let nearest = Spelling.nearest(step.plugin.rawValue, in: catalog.plugins.map(\.name.rawValue))
        return Failure(
            .noPlugin,
            .user,
            "step \(step.id): there is no plugin '\(step.plugin)'",
            hint: nearest.map { "did you mean \($0)?" } ?? "`drydock plugin list` shows those there are",
            file: ProjectFile.name
        )
    }
}

extension Plan {
    /// What of it is accepted and not carried out yet, a sentence each.
    package var notices: [String] {
        steps.filter { !$0.inputs.isEmpty }.map {
            "inputs of step \($0.id): accepted, but no step is reused yet; every build runs them all"
        }
    }
}
