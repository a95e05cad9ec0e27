// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
package import DrydockModel
internal import DrydockOS
package import DrydockPlugins
internal import DrydockStore
internal import FoundationEssentials
internal import Synchronization

/// What a check of a plugin does with a worker's means: its verbs on a directory, and builds that it is to carry out.
package struct PluginTrial: Sendable {
    /// What is special about a build.
    package enum Kind: Sendable {
        case plain
        /// The host says what only a newer one would.
        case newerHost
        /// It is cancelled as soon as its work has begun.
        case cancelled
    }

    /// How a build went.
    package struct Tried: Sendable {
        package var findings: [PluginFinding] = []
        /// What the plugin wrote to standard error.
        package var heard: [String] = []
        package var failure: Failure?
        package var duration = Duration.zero
    }

    /// How long a plugin may go on after it was told to stop.
    private static let grace = Duration.seconds(10)

    private let plugin: Plugin
    private let shop: Workshop

    package init(_ plugin: Plugin, shop: Workshop) {
        self.plugin = plugin
        self.shop = shop
    }

    /// Commands that it requires and builds would not find.
    package var missingCommands: [String] { PlanCheck.missing(plugin, on: shop.options.path) }

    /// Its verbs on a copy of the directory `path`, as a build of it would ask; `place` is what findings call it.
    ///
    /// `probing`: and what no build asks.
    package func look(
        at path: String,
        _ part: RelativePath = .top,
        place: String,
        isItsOwn: Bool = false,
        probing: Bool = false
    ) async throws -> VerbCheck.Result {
        let name = WorkerID.make("check")
        let registration = try await shop.store.register(name)
        defer { registration.end() }
        let snapshot = try await Snapshot.make(of: path, part, name: name.rawValue, shop: shop)
        return try await Blocking.cleaning(
            up: { snapshot.discard(logger: shop.logger) },
            after: {
                let call = VerbCall(
                    driver: Planning.driver(shop, snapshot),
                    files: try snapshot.topLevelNames(),
                    launcher: shop.launcher,
                    clock: shop.clock
                )
                return try await VerbCheck(plugin, call, place: place, isItsOwn: isItsOwn)
                    .ask(probing: probing)
            }
        )
    }

    /// Builds the directory `path` with the plugin: by its `drydock.yaml`, or as if the plugin had recognised it.
    package func build(
        _ path: String,
        _ part: RelativePath = .top,
        _ parameters: BuildParameters = BuildParameters(),
        kind: Kind
    ) async throws -> Tried {
        var shop = shop
        if !FileManager.default.fileExists(atPath: "\(path)/\(part)/\(ProjectFile.name)") {
            // What it plans may be lines of shell.
            shop.catalog = shop.catalog.using(plugin.wantingAll, beside: [.script])
        }
        let audits = Mutex<[RecordAudit]>([])
        // One is enough: the work has begun.
        let (begins, begun) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        let (plugin, observers) = (plugin, Set(shop.catalog.observers(of: plugin).observers.keys))
        shop.inspection = { step in
            guard step.plugin == plugin.name else { return nil }
            let audit = RecordAudit(plugin, observers: observers) { begun.yield() }
            audits.withLock { $0.append(audit) }
            return StepInspection(audit: audit, isNovel: kind == .newerHost)
        }
        let stop = StopSignal()
        let build = LeasedBuild(lease: try await lease(path, part, parameters), shop: shop, stop: stop)
        let started = shop.clock.now
        async let cancelled = cancel(stop, kind, when: begins)
        let outcome = await build.run()
        begun.finish()
        let end = shop.clock.now
        var tried = Tried()
        tried.duration = started.duration(to: end)
        tried.failure = outcome?.failure
        let used = audits.withLock { $0 }
        tried.findings = used.flatMap(\.findings)
        tried.heard = used.flatMap(\.heard)
        switch kind {
        case .plain: tried.findings += try await judge(tried.failure, used, build.lease.build.id)
        case .newerHost: tried.findings = newer(tried.failure)
        case .cancelled: tried.findings = late(await cancelled?.duration(to: end))
        }
        return tried
    }

    private func lease(
        _ path: String,
        _ part: RelativePath,
        _ parameters: BuildParameters
    ) async throws -> Lease {
        let request = BuildRequest(
            session: SessionID(rawValue: "check"),
            project: ProjectName(rawValue: path),
            source: .path(path),
            directory: part,
            parameters: parameters,
            trigger: .cli,
            title: "check of \(plugin.name)"
        )
        return try await shop.store.enqueueLeased(request, to: WorkerID.make("check"))
    }

    /// Cancels once the work has begun; when that was.
    private func cancel(
        _ stop: StopSignal,
        _ kind: Kind,
        when begins: AsyncStream<Void>
    ) async -> ContinuousClock.Instant? {
        for await _ in begins where kind == .cancelled {
            let now = shop.clock.now
            stop.stop(Failure(.cancelled, .user, "cancelled by the check"))
            return now
        }
        return nil
    }

    // MARK: What it means

    private func judge(
        _ failure: Failure?,
        _ audits: [RecordAudit],
        _ build: BuildID
    ) async throws -> [PluginFinding] {
        if let failure {
            let what = audits.isEmpty ? "the build did not come to it: " : "the build failed: "
            var finding = PluginFinding(.error, "run", what + failure.message, hint: failure.hint)
            if failure.code == .artifactMissing {
                finding.line = audits.lazy.compactMap { $0.line(declaredIn: failure.message) }.first
            }
            return [finding]
        }
        if audits.isEmpty {
            let hint = "name the plugin in the project's drydock.yaml, or check it with another project"
            return [PluginFinding(.error, "run", "no step of the project uses the plugin", hint: hint)]
        }
        guard try await shop.store.artifacts(build).isEmpty else { return [] }
        let hint = "what is to be kept has to be written below $DRYDOCK_OUT"
        return [PluginFinding(.warning, "run", "it succeeded, and nothing was made", hint: hint)]
    }

    private func newer(_ failure: Failure?) -> [PluginFinding] {
        guard let failure else { return [] }
        let hint = "pass over fields of the request and records of the host that it does not know"
        let what = "with a newer host it fails, and without it does not: \(failure.message)"
        return [PluginFinding(.error, "run", what, hint: hint)]
    }

    private func late(_ duration: Duration?) -> [PluginFinding] {
        guard let duration else {
            return [PluginFinding(.note, "run", "its work has no command that could be cancelled")]
        }
        guard duration >= Self.grace else { return [] }
        let hint = "end with TERM, and with the host's record `cancel`"
        let what = "cancelled, it went on for \(Int(duration.inSeconds)) s and had to be killed"
        return [PluginFinding(.error, "run", what, hint: hint)]
    }
}
