// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockSandbox
internal import SystemPackage

/// Works out a build's plan: from the project's own file, or by asking the plugins.
struct Planning {
    let shop: Workshop
    let snapshot: Snapshot
    let parameters: BuildParameters
    /// Gets what drivers write to standard error while they are asked.
    var heard: @Sendable (_ plugin: PluginName, _ line: String) -> Void = { _, _ in }

    /// The plan, clipped by the operator's policy, with every plugin that it names there and usable, and every parameter
    /// one that its plugin takes.
    ///
    /// `detection` is what the plugins said, for who asked them already; nil = they are asked where it takes that.
    func plan(by detection: Detection? = nil) async throws -> Planned {
        var file = try projectFile()
        let policy = shop.options.policy
        let root = try root(of: file)
        if !file.steps.isEmpty {
            try check(.projectFile(file.lines), root).check(file.steps)
            try await askDrivers(of: file)
            file.steps = file.steps.map(asking)
            var plan = titled(file.plan(clippedBy: policy))
            plan.root = root
            return Planned(plan: plan, why: "\(ProjectFile.name) says so")
        }
        let said: Detection
        if let detection { said = detection } else { said = try await detect() }
        let (steps, why, planner) = try await planned(by: said)
        try check(.plugin(planner), root).check(steps)
        var plan = file.plan(clippedBy: policy, detected: steps.map(asking))
        plan.root = root
        return Planned(plan: plan, why: why)
    }

    /// The plan, and the snapshot with the place where the project turned out to be: its top, or the only folder there, where
    /// nobody wants what lies at the top.
    ///
    /// `detection` is what the plugins said of the top, for who asked them already; with the answer comes what they said of the folder.
    func settle(
        by detection: Detection? = nil
    ) async throws -> (snapshot: Snapshot, detection: Detection?, planned: Planned) {
        do {
            return (snapshot, detection, try await plan(by: detection))
        } catch let failure as Failure where failure.code == .noPlugin && failure.file == nil {
            guard let inner = try snapshot.inOnlyFolder() else { throw failure }
            let planning = Planning(shop: shop, snapshot: inner, parameters: parameters, heard: heard)
            let detection = try await planning.detect()
            // What is wrong with a project that is there is told; where there is none either, the top is what was meant.
            guard detection.winner != nil || planning.hasProjectFile else { throw failure }
            var planned = try await planning.plan(by: detection)
            planned.why += "; the project is in the only folder, \(inner.directory)"
            return (inner, detection, planned)
        }
    }

    private var hasProjectFile: Bool {
        (try? snapshot.topLevelNames().contains(ProjectFile.name)) ?? false
    }

    /// Asks every plugin, whether the project's own file makes that necessary or not.
    func detect() async throws -> Detection { try await survey.detect() }

    private var survey: ProjectSurvey {
        get throws {
            ProjectSurvey(
                catalog: shop.catalog,
                files: try snapshot.topLevelNames(),
                driver: Self.driver(shop, snapshot),
                launcher: shop.launcher,
                clock: shop.clock,
                heard: heard
            )
        }
    }

    /// The sandbox in which drivers recognise and plan.
    static func driver(_ shop: Workshop, _ snapshot: Snapshot) -> SandboxSpec {
        SandboxSpec(
            argv: [],
            environment: StepEnvironment.standard(path: shop.options.path, snapshot.directory),
            workingDirectory: InsidePath.project(snapshot.directory),
            mounts: snapshot.mounts,
            root: .hostToolchain(additional: shop.options.toolchain),
            policy: shop.options.policy.withoutNetwork
        )
    }

    /// Has the drivers that the project's file names look at it: what they find would fail their step later.
    private func askDrivers(of file: ProjectFile) async throws {
        let survey = try survey
        for step in file.steps {
            guard let plugin = shop.catalog[step.plugin] else { continue }
            do throws(Failure) {
                try await survey.check(step, plugin)
            } catch var failure {
                failure.message = "step \(step.id): \(failure.message)"
                if failure.file == nil, failure.fault == .user {
                    (failure.file, failure.line) = (ProjectFile.name, file.lines[step.id]?.plugin)
                }
                throw failure
            }
        }
    }

    private func check(_ origin: PlanCheck.Origin, _ root: PlannedRoot?) throws -> PlanCheck {
        var check = PlanCheck(catalog: shop.catalog, path: shop.options.path, origin: origin)
        if let root, let held = try shop.options.roots?.hold(root) { check.root = try CommandsOfRoot(held) }
        return check
    }

    /// The steps of the plugin that recognises the project best.
    private func planned(
        by detection: Detection
    ) async throws -> ([PlannedStep], why: String, planner: PluginName) {
        try requireAnswers(detection)
        guard let winner = detection.winner, let plugin = shop.catalog[winner.plugin] else {
            throw nobodyWants(detection)
        }
        let others = detection.candidates.filter { $0.score > 0 && $0.plugin != winner.plugin }
        let losers =
            others.isEmpty
            ? "" : "; also " + others.map { "\($0.plugin) \($0.score)" }.joined(separator: ", ")
        let silent = detection.candidates.filter(\.isBroken).map { "; \($0.plugin): \($0.why)" }.joined()
        let why = "\(winner.plugin) \(winner.score): \(winner.why)" + losers + silent
        return (try await survey.plan(plugin), why, plugin.name)
    }

    /// A plugin that could not say whether the project is its own is no reason to build it as something else: what came of
    /// that might even succeed.
    private func requireAnswers(_ detection: Detection) throws(Failure) {
        let best = detection.winner?.score ?? 0
        let meant = detection.candidates.first { candidate in
            candidate.isBroken && (shop.catalog[candidate.plugin]?.manifest.detect.score ?? 0) > best
        }
        guard let meant else { return }
        throw Failure(
            .planFailed,
            .plugin,
            "the project may be one for the plugin \(meant.plugin), but \(meant.why)",
            hint: "mend that plugin, or name one in drydock.yaml"
        )
    }

    /// Says what lies there, and what plugins said that looked at it; what all others look for `drydock plan` lists.
    private func nobodyWants(_ detection: Detection) -> Failure {
        let names = ((try? snapshot.topLevelNames()) ?? []).filter { !$0.hasPrefix(".") }
        let most = 8
        let shown = names.prefix(most).joined(separator: ", ") + (names.count > most ? ", …" : "")
        let looked = detection.candidates.filter(\.isLooked).map { "; \($0.plugin): \($0.why)" }.joined()
        let count = detection.candidates.count
        let what =
            count == 0
            ? "there are no plugins"
            : names.isEmpty
                ? "the source is empty"
                : "none of the \(count) plugins knows what to do with \(shown)\(looked)"
        return Failure(
            .noPlugin,
            .user,
            "no plugin recognises the project: \(what)",
            hint:
                "name one in drydock.yaml (`plugin: script` runs shell lines); `drydock plan` says what each looks for"
        )
    }

    /// The step with the hosts that it asks for: its own, or those that its plugin may ask for; and those that every step gets.
    private func asking(_ step: PlannedStep) -> PlannedStep {
        var step = step
        let own = step.network ?? shop.catalog[step.plugin]?.manifest.permits.network ?? []
        step.network = NetworkPolicy(joining: [own, shop.options.network]).rules
        return step
    }

    /// A step that has no name of its own gets its plugin's title.
    private func titled(_ plan: Plan) -> Plan {
        var plan = plan
        for (index, step) in plan.steps.enumerated() where step.title == step.plugin.rawValue {
            plan.steps[index].title = shop.catalog[step.plugin]?.manifest.title ?? step.title
        }
        return plan
    }

    /// What the project's file asks for, with the build's parameters; of a project that has none, nothing.
    private func projectFile() throws -> ProjectFile {
        try placing {
            var file = try ProjectFile(parsing: try projectFileBytes())
            try file.take(parameters)
            return file
        }
    }

    /// The root file system that it asks for; nil = none.
    private func root(of file: ProjectFile) throws -> PlannedRoot? {
        guard let name = file.root else { return nil }
        return try placing {
            guard let roots = shop.options.roots else {
                throw RootCatalog.unknown(name, line: file.rootLine, among: [])
            }
            return try roots.planned(name, line: file.rootLine)
        }
    }

    /// Adds to a failure that is about the project's file where in the source that is.
    private func placing<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch var failure as Failure {
            if failure.file == ProjectFile.name, snapshot.directory != .top {
                failure.file = "\(snapshot.directory)/\(ProjectFile.name)"
            }
            throw failure
        }
    }

    private func projectFileBytes() throws -> [UInt8] {
        do {
            let name = TreePath.root.appending(ProjectFile.name.utf8)
            let file = try snapshot.openProject().openFile(name, .read)
            return try file.withDescriptor { try Self.contents(of: $0) }
        } catch Errno.noSuchFileOrDirectory {
            try refuseMisnamed()
            return Array("version: 1\n".utf8)
        } catch Errno.tooManySymbolicLinkLevels {
            throw Failure(
                .configInvalid,
                .user,
                "\(ProjectFile.name) is a symbolic link",
                hint: "put the file itself there"
            )
        }
    }

    /// A file that is meant to be ours and is not read would be an answer to another question.
    private func refuseMisnamed() throws {
        let near = ["drydock.yml", "drydock.yaml", ".drydock.yml", ".drydock.yaml"]
        guard let name = try snapshot.topLevelNames().first(where: { near.contains($0.lowercased()) }) else {
            return
        }
        throw Failure(
            .configInvalid,
            .user,
            "the project's file is named \(name), and only \(ProjectFile.name) is read",
            hint: "rename it: mv \(name) \(ProjectFile.name)",
            file: name
        )
    }

    /// The file's bytes; one more than the parser takes at the most, so that it says what is wrong.
    private static func contents(of file: FileDescriptor) throws -> [UInt8] {
        guard try fileStatus(of: file).kind == .file else {
            throw Failure(.configInvalid, .user, "\(ProjectFile.name) is not a regular file")
        }
        return try FileContents.beginning(of: file, atMost: ProjectFile.largest + 1)
    }
}
