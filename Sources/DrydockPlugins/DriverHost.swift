// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockSandbox
import SystemPackage

/// A driver plugin in its own sandbox, and the commands it asks for in the project's.
final class DriverHost: Sendable {
    private let context: StepContext
    private let launcher: any SandboxLauncher
    private let sink: any StepEventSink
    private let input: DriverInput
    private let childEnd: FileDescriptor
    private let control = SandboxControl()
    private let activity: ActivityClock
    private let masker: StepMasker
    private let violations: ViolationLog
    private let execs: ExecRunner
    private let deadline: ContinuousClock.Instant

    /// Commands that may wait for their turn.
    private static let waitingLimit = 64

    init(context: StepContext, launcher: any SandboxLauncher, sink: any StepEventSink) throws(Errno) {
        self.context = context
        self.launcher = launcher
        self.sink = sink
        (input, childEnd) = try DriverInput.make()
        masker = StepMasker(context.masks)
        violations = ViolationLog(sink, masker)
        activity = ActivityClock(context.clock)
        deadline = context.clock.now.advanced(by: context.timeout)
        execs = ExecRunner(
            context: context,
            launcher: launcher,
            sink: sink,
            masker: masker,
            violations: violations,
            deadline: deadline
        )
    }

    /// Gives back what `run` would have used.
    func discard() {
        OwnedDescriptor(taking: childEnd).close()
    }

    /// Tells the driver, and ends it and its command after the grace.
    func cancel(_ failure: Failure) {
        input.post(.cancel(reason: failure.message, deadline: context.grace))
        execs.close(grace: context.grace)
        control.end(.cancelled, grace: context.grace)
    }

    /// Runs the driver to its end.
    func run() async -> StepReport {
        // Buffers the commands that wait; one too many is refused by the session, and the driver told.
        let (requests, continuation) = AsyncStream.makeStream(
            of: ExecRequest.self,
            bufferingPolicy: .bufferingOldest(Self.waitingLimit)
        )
        let (control, input) = (control, input)
        let session = DriverSession(
            sink: sink,
            masker: masker,
            stages: context.plugin.manifest.stages,
            clock: context.clock,
            audit: context.inspection?.audit,
            requests: DriverRequests(
                exec: { request in
                    if case .enqueued = continuation.yield(request) { true } else { false }
                },
                refuse: { input.post(.execEnd($0)) },
                close: { control.end(.cancelled, grace: .zero) }
            )
        )
        var request = PluginRequest(context: context, verb: .run)
        if isNovel { request.additional = PluginRequest.future }
        input.post(.welcome)
        input.post(.request(request))
        if isNovel { input.post(.unknown) }
        async let served: Void = serve(requests, session)
        let end = await command(session).run(stdin: OwnedDescriptor(taking: childEnd), launcher: launcher)
        let statement = session.drain()
        continuation.finish()
        execs.close(grace: .zero)
        await served
        violations.finish()
        let report = report(end, statement)
        session.finish(report.failure == nil ? .ok : .failed)
        return report
    }

    private var isNovel: Bool { context.inspection?.isNovel == true }

    private func command(_ session: DriverSession) -> SandboxedCommand {
        var spec = context.driver
        spec.argv = context.plugin.command + ["run"]
        spec.mounts += context.plugin.mounts
        spec.environment.merge(context.plugin.environment) { _, ours in ours }
        return SandboxedCommand(
            spec: spec,
            clock: context.clock,
            deadline: deadline,
            // A silent command is ended first: its driver is to hear of it.
            silence: context.silence + context.grace + .seconds(5),
            grace: context.grace,
            control: control,
            activity: activity,
            onViolation: { [violations] in violations.note($0, in: nil) },
            onOutput: { session.receive($0, $1) }
        )
    }

    private func serve(_ requests: AsyncStream<ExecRequest>, _ session: DriverSession) async {
        for await request in requests {
            activity.touch()
            input.post(.execStart(id: request.id))
            guard let end = await execs.run(request, activity: activity) else { continue }
            if isNovel { input.post(.unknown) }
            activity.touch()
            if let failure = execs.platformFailure {
                session.say(failure.message)
                control.end(.cancelled, grace: .zero)
            } else if await !input.send(.execEnd(end)), !execs.isClosed {
                session.say("The plugin did not wait for the end of its command \"\(request.id)\".")
            }
        }
    }

    private func report(_ end: CommandEnd, _ statement: DriverStatement) -> StepReport {
        var usage = Usage(wall: end.duration)
        let judgement = DriverJudgement(
            plugin: context.plugin.name,
            statement: statement,
            lastFailure: execs.lastFailure,
            platformFailure: execs.platformFailure
        )
        let failure: Failure?
        switch end.ending {
        case .notStarted(let error):
            failure =
                OutcomeTable.failure(of: error, command: "the plugin \(context.plugin.name)").blamedOnPlugin
        case .ran(let ran):
            failure = judgement.failure(ran.verdict, limits: context.limits)
            usage = ([ran.usage] + execs.usage).reduce(usage) { $0.including($1) }
        }
        var report = StepReport(failure: failure, usage: usage)
        report.artifacts = context.plugin.manifest.artifacts + statement.artifacts
        report.preview = statement.preview ?? context.plugin.manifest.preview
        report.outputs = statement.outputs
        report.violations = violations.violations
        report.diagnostics = Array((statement.errors + execs.errors).prefix(20))
        report.masker = masker.current
        return report.showing(context, masker.current)
    }
}

extension Usage {
    /// This usage with another process's: CPU and what went over the network add up, peaks do not.
    func including(_ other: Usage) -> Usage {
        var sum = self
        if let cpu = other.cpu { sum.cpu = (sum.cpu ?? .zero) + cpu }
        if let peak = other.peakMemory { sum.peakMemory = max(sum.peakMemory ?? peak, peak) }
        if let peak = other.peakProcesses { sum.peakProcesses = max(sum.peakProcesses ?? peak, peak) }
        sum.network = NetworkLedger(joining: sum.network, other.network).uses
        return sum
    }
}

extension PluginRequest {
    /// What a driver is told about the step.
    init(context: StepContext, verb: PluginVerb) {
        self.init(
            verb: verb.rawValue,
            build: context.build,
            step: context.step.id,
            directories: Self.directories(context.driver),
            files: context.files,
            with: context.step.with
        )
    }

    /// Where things are inside.
    static func directories(_ driver: SandboxSpec) -> [String: String] {
        ["source": driver.workingDirectory, "out": InsidePath.out, "cache": InsidePath.cache]
    }
}
