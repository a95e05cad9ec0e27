// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockSandbox
internal import DrydockStore

/// Runs the steps of a plan in an order in which every step comes after those it needs.
struct StepSequence {
    let run: BuildRun
    let plan: Plan
    let workspace: Workspace
    let snapshot: Snapshot
    let progress: ProgressKeeper
    /// The root file system that the plan names, held; nil = the machine's own toolchain.
    var root: HeldRoot?

    /// What the steps said about their results.
    struct Declared: Sendable {
        var artifacts: [ArtifactRule] = []
        var preview: PreviewRule?
    }

    /// Runs all of them.
    ///
    /// Throws the failure of the first that did not succeed; those that came after it are skipped.
    func runAll() async throws -> Declared {
        let limit = plan.policy.limits.total
        let stop = run.stop
        let clock = run.shop.clock
        let watch = DiskWatch(workspace: workspace, limit: plan.policy.limits.disk, clock: clock) {
            stop.stop($0)
        }
        let gauge = try workspace.gauge(limit: plan.policy.limits.disk)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // cancelled: it ended in time
                guard (try? await clock.pause(for: limit)) != nil else { return }
                stop.stop(
                    Failure(
                        .totalTimeout,
                        .user,
                        "the build took longer than its total time of \(limit.inSeconds) s",
                        hint: "raise limits.total in drydock.yaml, as far as the operator allows"
                    )
                )
            }
            if let interval = run.shop.options.estimates {
                group.addTask { await progress.run(run.sink, every: interval) }
            }
            group.addTask {
                guard let gauge else { return await watch.run() }
                await gauge.run { stop.stop($0) }
            }
            defer { group.cancelAll() }
            let declared = try await runInOrder(gauge)
            tellFullness(gauge)
            return declared
        }
    }

    /// Says that a build which succeeded all the same has had no space left.
    private func tellFullness(_ gauge: SpaceGauge?) {
        guard let fullness = gauge?.fullness else { return }
        run.sink.record(.notice(title: "Disk full", markdown: fullness.message))
    }

    private func runInOrder(_ gauge: SpaceGauge?) async throws -> Declared {
        let reports = StepReports(workspace)
        var declared = Declared()
        var failure: Failure?
        for step in Self.ordered(plan.steps) {
            if failure == nil { failure = run.stop.failure }
            guard failure == nil else {
                run.sink.record(.step(StepChange(state: .skipped, title: step.title)), step: step.id)
                continue
            }
            do {
                let report = try await self.run(step, gauge, reports)
                failure = run.stop.failure ?? report.failure
                declared.artifacts += report.artifacts
                declared.preview = report.preview ?? declared.preview
            } catch {
                failure = Failure(explaining: error)
            }
        }
        if let failure { throw failure }
        return declared
    }

    /// The steps in file order, each moved behind those it needs.
    ///
    /// The plan has no cycles: that was checked.
    static func ordered(_ steps: [PlannedStep]) -> [PlannedStep] {
        var waiting = steps
        var done: Set<StepID> = []
        var result: [PlannedStep] = []
        while let next = waiting.firstIndex(where: { $0.needs.allSatisfy(done.contains) }) {
            let step = waiting.remove(at: next)
            done.insert(step.id)
            result.append(step)
        }
        return result + waiting
    }

    private func run(
        _ step: PlannedStep,
        _ gauge: SpaceGauge?,
        _ reports: StepReports
    ) async throws -> StepReport {
        let context = try context(step)
        let started = run.shop.clock.now
        run.sink.record(.step(StepChange(state: .running, title: step.title)), step: step.id)
        let runner = StepRunner()
        let sink = StepSink(sink: run.sink, step: step.id)
        var report = await run.stop.whileStoppable(runner.cancel) {
            await runner.run(context, launcher: run.shop.launcher, sink: sink)
        }
        run.sink.flush()
        let masker = report.masker
        let stop = run.stop
        let tests = await Blocking.run { reports.read(context, hiding: masker, unless: stop) }
        if let tests { run.sink.emit([.tests(tests)], via: .observed, step: step.id) }
        report.violations += paths(report, context)
        report.failure = report.failure?.naming(tests)
        if report.failure?.details?.source == nil { report = report.showing(context, masker) }
        report.failure = report.failure?.explained(by: gauge)
            .explained(by: report.usage.network, granted: context.project.policy)
            .explained(by: report.violations)
            .naming(step.id, report.usage.network, granted: context.project.policy)
            .placed(in: snapshot.directory)
            .explained(by: plan.root)
        let failure = run.stop.failure ?? report.failure
        for use in report.usage.network { run.sink.record(.network(use), step: step.id) }
        run.sink.record(
            .usage(report.usage),
            .step(
                StepChange(
                    state: Self.state(failure),
                    title: step.title,
                    failure: failure,
                    duration: started.duration(to: run.shop.clock.now)
                )
            ),
            step: step.id
        )
        return report
    }

    /// The files that a failed step was not let have, told where they are read: in its output.
    private func paths(_ report: StepReport, _ context: StepContext) -> [Violation] {
        guard let output = report.failure?.details?.output else { return [] }
        let found = PathViolation.all(in: output, of: context.project)
        if !found.isEmpty { run.sink.emit(found.map(Event.violation), via: .observed, step: context.step.id) }
        return found
    }

    private static func state(_ failure: Failure?) -> StepState {
        guard let failure else { return .succeeded }
        switch failure.code {
        case .cancelled: return .cancelled
        case .stepTimeout, .silenceTimeout, .totalTimeout: return .timedOut
        default: return failure.fault == .user ? .failed : .errored
        }
    }

    private func context(_ step: PlannedStep) throws -> StepContext {
        guard let plugin = run.shop.catalog[step.plugin] else {
            throw PlanCheck.unknownPlugin(step, run.shop.catalog)
        }
        let options = run.shop.options
        var policy = plan.policy
        policy.network = NetworkPolicy(step.network ?? [])
        let host = StepEnvironment(
            build: run.lease.build.id,
            path: options.path,
            directory: snapshot.directory
        )
        var environment = host
        if let root {
            environment.path = StepEnvironment.path(of: root)
            environment.image = root.environment
        }
        var project = SandboxSpec(
            argv: [],
            environment: environment.variables(step: step),
            workingDirectory: InsidePath.project(snapshot.directory),
            mounts: workspace.mounts,
            root: root.map { .directory($0.path.string) } ?? .hostToolchain(additional: options.toolchain),
            profile: step.profile ?? .strict,
            policy: policy
        )
        project.purpose = SandboxPurpose(project: run.lease.build.request.project, step: step.id)
        var driver = project
        // Its own process is Drydock's affair, and not the project's: it finds what it was written for.
        driver.root = .hostToolchain(additional: options.toolchain)
        driver.environment = host.variables(
            step: PlannedStep(id: step.id, plugin: step.plugin, title: "")
        )
        driver.mounts = workspace.driverMounts
        driver.policy = policy.withoutNetwork
        driver.profile = .strict
        var context = StepContext(
            build: run.lease.build.id,
            plugin: plugin,
            step: step,
            project: project,
            driver: driver
        )
        context.clock = run.shop.clock
        context.files = try snapshot.topLevelNames()
        context.parameters = workspace.parameters
        let source = try snapshot.openProject()
        context.observers = run.shop.catalog.observers(of: plugin)
        context.isInSource = { Snapshot.isFile($0, in: source) }
        context.inspection = run.shop.inspection?(step)
        let index = SourceIndex(source)
        context.findSource = { index.file(endingIn: $0) }
        context.readSource = { Snapshot.contents(of: $0, in: source) }
        return context
    }
}

extension Failure {
    /// A command that is missing is one of the root file system's, not of this machine's.
    fileprivate func explained(by root: PlannedRoot?) -> Failure {
        guard let root, hint == nil, message.contains(OutcomeTable.missing) else { return self }
        var failure = self
        failure.hint =
            "steps run in the root file system \(root.name) ('rootfs' in drydock.yaml): name one that has it"
        return failure
    }

    /// What failed where there was no space left failed for that; the limit is told, and what it looked like.
    fileprivate func explained(by gauge: SpaceGauge?) -> Failure {
        guard [.stepFailed, .pluginCrashed].contains(code), let fullness = gauge?.fullness else {
            return self
        }
        return Failure(fullness.code, fullness.fault, "\(fullness.message); \(message)", hint: fullness.hint)
    }
}
