// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockStore

/// Takes one leased build from its source to its artifacts.
///
/// This file is the table of contents; each part has its own.
struct BuildRun: Sendable {
    let lease: Lease
    let shop: Workshop
    let journal: any JournalWriter
    let sink: JournalSink
    let stop: StopSignal

    /// How often one that waits for room on the disk looks.
    private static let lookForRoom = Duration.milliseconds(300)

    /// What a build that succeeded gives out.
    struct Made: Sendable {
        var artifacts: [Artifact] = []
        var preview: PreviewReady?
        /// For the project's next builds, once this one has succeeded.
        var cache: NewCache?
        var ingredients: BuildIngredients?
    }

    /// Runs the build to its end and records the outcome, in the journal first and in the store after it was synced.
    ///
    /// Returns nil, with nothing recorded, when the build is no longer this worker's. Throws only when the outcome could
    /// not be recorded: the lease lapses then, and the reaper takes the build.
    func run() async throws -> Outcome? {
        let started = shop.clock.now
        recordStart()
        var outcome = Outcome.succeeded
        var made = Made()
        do {
            made = try await build()
            try stop.check()
        } catch {
            outcome = Outcome(stop.failure ?? Failure(explaining: error))
        }
        sink.flush()
        guard try await leave(made, outcome) else { return nil }
        let end = Finished(
            outcome: outcome,
            duration: started.duration(to: shop.clock.now),
            artifacts: made.artifacts.count
        )
        try await Blocking.run {
            // Not by the sink, which turns what fails into the build's end: without this record there is none.
            try journal.append([.finished(end)], via: .host, step: nil)
            try journal.sync()
        }
        try await shop.store.finish(lease, outcome, artifacts: made.artifacts, preview: made.preview)
        return outcome
    }

    /// Leaves to the project's next builds what only a success may; false, with nothing left, where the build is no longer ours.
    private func leave(_ made: Made, _ outcome: Outcome) async throws -> Bool {
        let cache = BuildCache(run: self)
        do {
            // An end is only written while the build is ours; this also gives recording it a whole lease's time.
            guard stop.reason?.isOurs != false, try await shop.store.renew(lease) else {
                await cache.settle(made.cache, isKept: false)
                return false
            }
        } catch {
            await cache.settle(made.cache, isKept: false)
            throw error
        }
        let hasSucceeded = outcome.failure == nil
        await cache.settle(made.cache, isKept: hasSucceeded)
        guard hasSucceeded, let ingredients = made.ingredients else { return true }
        do {
            try await shop.store.remember(ingredients, of: lease.build.request.project)
        } catch {
            shop.logger.warning("what a build was made of could not be kept", metadata: ["error": "\(error)"])
        }
        return true
    }

    private func recordStart() {
        let request = lease.build.request
        sink.record(
            .queued(
                Queued(
                    session: request.session,
                    project: request.project,
                    title: request.title,
                    trigger: request.trigger,
                    archive: request.source.archive,
                    directory: request.directory,
                    parameters: request.parameters,
                    createdAt: lease.build.createdAt
                )
            ),
            .started(
                Started(
                    number: lease.number,
                    level: shop.options.policy.minimumLevel,
                    missing: shop.options.missing
                )
            )
        )
    }

    private func build() async throws -> Made {
        try stop.check()
        // A sign of life under the name of all that is made here: a lease that lapses does not make it a left-over.
        let registration = try await shop.store.register(WorkerID(rawValue: lease.attempt.rawValue))
        defer { registration.end() }
        let snapshot = try await Snapshot.make(for: self)
        let cleanUp = { @Sendable in snapshot.discard(logger: shop.logger) }
        return try await Blocking.cleaning(up: cleanUp) {
            let sink = sink
            let parameters = lease.build.request.parameters
            let planning = Planning(shop: shop, snapshot: snapshot, parameters: parameters) { plugin, line in
                let text = LogLine(stream: .plugin, text: "\(plugin): \(line)")
                sink.emit([.log(text)], via: .declared, step: nil)
            }
            let (snapshot, _, planned) = try await planning.settle()
            // Held from here on: another import of its name leaves this build what it began with.
            let root = try planned.plan.root.flatMap { try shop.options.roots?.hold($0) }
            sink.record(.plan(planned))
            for notice in planned.plan.notices { sink.record(.notice(title: "Not yet", markdown: notice)) }
            sink.limitLog(to: planned.plan.policy.limits.log)
            try stop.check()
            let last = LastSuccess(run: self, plan: planned.plan, snapshot: snapshot)
            do {
                var made = try await carryOut(planned.plan, snapshot, root)
                made.ingredients = await last.ingredientsOfSuccess()
                return made
            } catch {
                throw await last.explain(error)
            }
        }
    }

    private func carryOut(_ plan: Plan, _ snapshot: Snapshot, _ root: HeldRoot?) async throws -> Made {
        let cache = BuildCache(run: self, root: root?.digest)
        let workspace = try await makeWorkspace(
            snapshot,
            try await cache.newest(disk: plan.policy.limits.disk),
            disk: plan.policy.limits.disk
        )
        let cleanUp = { @Sendable in discard(workspace) }
        return try await Blocking.cleaning(up: cleanUp) {
            cache.tellBeginning(of: workspace)
            try await shop.store.move(lease, to: .running)
            let progress = await keepProgress(of: plan)
            let steps = StepSequence(
                run: self,
                plan: plan,
                workspace: workspace,
                snapshot: snapshot,
                progress: progress,
                root: root
            )
            let declared = try await steps.runAll()
            try stop.check()
            try await shop.store.move(lease, to: .finishing)
            var made = try await ArtifactCollection(run: self, plan: plan, declared: declared).collect(
                from: workspace
            )
            await remember(progress)
            made.cache = await cache.prepare(workspace)
            return made
        }
    }

    /// What says how far the build is; begins with what is known of the project's past.
    private func keepProgress(of plan: Plan) async -> ProgressKeeper {
        let project = lease.build.request.project
        // No more than a hint: a build does without.
        let past = try? await shop.store.history(of: project)
        let catalog = shop.catalog
        let pace = BuildPace(
            plan,
            stages: { step in (catalog[step.plugin]?.manifest.stages ?? []).map { ($0.id, $0.weight) } },
            past: past ?? BuildHistory()
        )
        let keeper = ProgressKeeper(pace, clock: shop.clock)
        sink.tell(keeper)
        return keeper
    }

    private func remember(_ progress: ProgressKeeper) async {
        do {
            try await shop.store.remember(progress.learned, of: lease.build.request.project)
        } catch {
            shop.logger.warning("what a build taught could not be kept", metadata: ["error": "\(error)"])
        }
    }

    private func makeWorkspace(
        _ snapshot: Snapshot,
        _ cache: GivenCache?,
        disk limit: ByteCount
    ) async throws -> Workspace {
        let options = shop.options
        let name = lease.attempt.rawValue
        let contents = { @Sendable in
            Workspace.Contents(snapshot: try snapshot.open(), cache: cache, owner: options.owner)
        }
        guard let disk = options.disk else {
            return try await Blocking.run {
                try Workspace(below: options.work, name: name, contents())
            }
        }
        let image = try await image(from: disk, holding: limit)
        return try await Blocking.run { try Workspace(on: image, contents()) }
    }

    /// The build's own disk, as soon as there is room for it.
    private func image(from disk: WorkspaceDisk, holding limit: ByteCount) async throws -> DiskImage {
        let folder = shop.options.work
        let name = lease.attempt.rawValue
        var isTold = false
        while true {
            try stop.check()
            let answer = try await Blocking.run { try disk.make(name, in: folder, holding: limit) }
            switch answer {
            case .made(let image):
                if image.capacity < limit.bytes {
                    let text =
                        "\(image.capacity >> 20) MiB are free for this build, of the \(limit) it may have."
                    sink.record(.notice(title: "Little room on the disk", markdown: text))
                }
                return image
            case .wait where !isTold:
                isTold = true
                let text = "The build waits for room on the disk, which other builds have taken."
                sink.record(.notice(title: "Waiting", markdown: text))
            case .wait: break
            }
            try await shop.clock.pause(for: Self.lookForRoom)
        }
    }

    private func discard(_ workspace: Workspace) {
        do {
            try workspace.remove()
        } catch {
            // What is left is found by name and removed when the worker starts again.
            shop.logger.error(
                "a workspace could not be removed",
                metadata: ["attempt": "\(lease.attempt)", "error": "\(error)"]
            )
        }
    }
}

extension Failure {
    /// The failure that `error` is: itself, or the platform's fault.
    init(explaining error: any Error) {
        if let failure = error as? Failure {
            self = failure
        } else if let error = error as? StoreError {
            self = error.failure
        } else {
            self.init(
                .internal,
                .platform,
                "the worker could not go on: \(error)",
                hint: "the worker's own log and `drydock doctor` tell more"
            )
        }
    }
}
