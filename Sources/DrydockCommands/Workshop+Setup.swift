// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockConfig
internal import DrydockEgress
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockSandbox
internal import DrydockStore
internal import DrydockWorker
internal import SystemPackage

extension Workshop {
    /// Everything a worker needs, checked: no sandbox, or one below the configured level, is a problem here and now.
    static func make(
        _ configuration: ServerConfiguration,
        plugins: [String],
        store: EmbeddedStore,
        label: String
    ) async throws -> Workshop {
        let installation = try Installation()
        // The group first: without it the level that is found would be lower than the one that builds get.
        let launcher = try installation.launcher()
        let report = await SandboxDoctor.examine(disksIn: store.directory.work)
        try require(configuration.policy.minimumLevel, report)
        let logger = PlaceOptions.logger(label)
        let tools = await configuration.network.askTools(in: plugins)
        for problem in tools.words { logger.warning("\(problem)") }
        // What every build records as its level is demanded of each of its sandboxes, those that unpack, detect and plan
        // too: what the machine could do once it may not be able to do later.
        var policy = configuration.policy(tools)
        policy.minimumLevel = report.level
        let egress = try EgressSettings(
            checking: configuration.network,
            tools: tools,
            secrets: try SecretsReading.secrets(configuration)
        )
        var options = WorkerOptions(
            snapshots: store.directory.snapshots,
            work: store.directory.work,
            policy: policy,
            toolchain: try seen(configuration.toolchain),
            path: Installation.pathInside(toolchain: configuration.toolchain),
            program: installation.program,
            programLibraries: Installation.libraries(),
            sourceCaps: ArchiveCaps(
                entries: configuration.sources.files,
                bytes: configuration.sources.size,
                fileSize: configuration.sources.size
            ),
            allowed: AllowedSources(
                paths: configuration.sources.paths,
                gitHosts: configuration.sources.git
            ),
            owner: Installation.workspaceOwner,
            disk: report.hasOwnDisks ? WorkspaceDisk() : nil,
            missing: report.missing
        )
        options.roots = RootCatalog(
            RootFileSystems(in: store.directory.roots),
            allowed: configuration.roots
        )
        options.caches = try caches(in: store.directory, configuration.projectCache)
        return Workshop(
            store: store,
            launcher: EgressLauncher(
                launcher,
                egress,
                egress.cachesAnswers ? try downloads(in: store.directory, configuration.network.cache) : nil
            ),
            catalog: await Blocking.run { .load(directories: plugins) },
            options: options,
            logger: logger
        )
    }

    private static func downloads(
        in directory: DataDirectory,
        _ settings: CacheSettings
    ) throws(CommandProblem) -> DownloadCache {
        do throws(Errno) {
            return try DownloadCache(at: directory.cache, size: settings.size)
        } catch {
            throw CommandProblem(
                .unavailable,
                "\(directory.cache)",
                why: "the downloads that builds share can not be kept there: \(error)",
                remedy:
                    "make it a directory of the user that Drydock runs as, or leave network.cache.hosts out"
            )
        }
    }

    /// Nil where nothing is to be kept.
    static func caches(
        in directory: DataDirectory,
        _ bounds: ProjectCacheLimits
    ) throws(CommandProblem) -> ProjectCaches? {
        guard bounds.size.bytes > 0 else { return nil }
        guard bounds.total >= bounds.size else {
            throw CommandProblem(
                .usage,
                "project_cache.total",
                why:
                    "it is \(bounds.total), less than the \(bounds.size) of one project (project_cache.size)",
                remedy: "raise it, or lower the other"
            )
        }
        do throws(Errno) {
            return try ProjectCaches(in: directory.projectCaches, limits: bounds)
        } catch {
            throw CommandProblem(
                .unavailable,
                "\(directory.projectCaches)",
                why: "the caches of projects can not be kept there: \(error)",
                remedy:
                    "make it a directory of the user that Drydock runs as, or write `project_cache: { size: none }`"
            )
        }
    }

    /// The operator's directories, and those of `/etc` that toolchains read.
    private static func seen(_ toolchain: [String]) throws -> [String] {
        for path in toolchain where (path + "/").hasPrefix("/etc/") && !ToolchainSettings.isHarmless(path) {
            throw CommandProblem(
                .usage,
                "toolchain: \(path)",
                why: "builds would see what not everybody may read, or what goes by the name of a secret",
                remedy:
                    "name a directory that belongs to root and that everybody may read, without keys in it"
            )
        }
        return toolchain + ToolchainSettings.find().filter { !toolchain.contains($0) }
    }

    private static func require(_ minimum: SandboxLevel, _ report: DoctorReport) throws {
        guard report.level < minimum else { return }
        throw CommandProblem(
            .unavailable,
            "the sandbox",
            why:
                "this machine gives level \(report.level.rawValue), and \(minimum.rawValue) is the least that is allowed: "
                + report.missing.joined(separator: "; "),
            remedy: "`drydock doctor` says what to do about each"
        )
    }
}

extension PlaceOptions {
    /// The workshop of a command that builds by itself.
    ///
    /// `presets` are asked beside those of the configuration.
    func workshop(
        store: EmbeddedStore,
        plugins: PluginOptions,
        presets: [PresetName] = []
    ) async throws -> Workshop {
        var configuration = try configuration()
        configuration.network.presets += presets
        let directories = try plugins.all(configuration)
        return try await .make(configuration, plugins: directories, store: store, label: "drydock")
    }
}
