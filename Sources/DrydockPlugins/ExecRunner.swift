// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockObservers
import DrydockProtocol
import DrydockSandbox
import Synchronization
import SystemPackage

/// The commands of one driver: run one by one in the project's sandbox, captured by the host.
final class ExecRunner: Sendable {
    private struct State {
        var usage: [Usage] = []
        var errors: [Diagnostic] = []
        /// Why the last command that did not succeed did not.
        var lastFailure: Failure?
        /// The sandbox itself could not be had: the step can not go on.
        var platformFailure: Failure?
        /// Nobody waits for commands any more.
        var isClosed = false
    }

    /// Characters of a command's name.
    private static let nameLimit = 60

    let control = SandboxControl()
    private let context: StepContext
    private let launcher: any SandboxLauncher
    private let sink: any StepEventSink
    private let masker: StepMasker
    private let violations: ViolationLog
    private let deadline: ContinuousClock.Instant
    private let state = Mutex(State())

    init(
        context: StepContext,
        launcher: any SandboxLauncher,
        sink: any StepEventSink,
        masker: StepMasker,
        violations: ViolationLog,
        deadline: ContinuousClock.Instant
    ) {
        self.context = context
        self.launcher = launcher
        self.sink = sink
        self.masker = masker
        self.violations = violations
        self.deadline = deadline
    }

    var usage: [Usage] { state.withLock(\.usage) }
    var errors: [Diagnostic] { state.withLock(\.errors) }
    var lastFailure: Failure? { state.withLock(\.lastFailure) }
    var platformFailure: Failure? { state.withLock(\.platformFailure) }

    /// Whether the step is being ended: nobody waits for answers.
    var isClosed: Bool { state.withLock(\.isClosed) }

    /// Ends what runs, and starts nothing more.
    func close(grace: Duration) {
        state.withLock { $0.isClosed = true }
        control.end(.cancelled, grace: grace)
    }

    /// Runs one command; nil when nothing is started any more.
    ///
    /// Its output touches `activity`.
    func run(_ request: ExecRequest, activity: ActivityClock) async -> ExecEnd? {
        guard state.withLock({ !$0.isClosed }) else { return nil }
        let observer = context.observer(
            of: request.argv,
            in: request.directory,
            named: request.observers
        )
        let output = ProjectOutput(
            sink: sink,
            masker: masker,
            stage: request.stage,
            guest: nil,
            observer: observer,
            clock: context.clock,
            tail: request.tail
        )
        let clock = context.clock
        let limit = request.timeout.map { min(deadline, clock.now.advanced(by: $0)) } ?? deadline
        let command = SandboxedCommand(
            spec: spec(request, hints: observer.environment),
            clock: clock,
            deadline: limit,
            silence: silence(of: request),
            grace: context.grace,
            control: control,
            activity: activity,
            streams: request.streams,
            onViolation: { [violations] in violations.note($0, in: request.stage) },
            onOutput: { output.receive($0, $1) }
        )
        let end: CommandEnd
        do throws(Errno) {
            end = await command.run(stdin: try Self.input(request.input), launcher: launcher)
        } catch {
            end = CommandEnd(
                ending: .notStarted(.host(call: "pipe", errno: Int(error.rawValue))),
                duration: .zero
            )
        }
        output.finish(.ok)
        return conclude(request, end, output)
    }

    private func silence(of request: ExecRequest) -> Duration {
        min(request.silence ?? context.silence, context.silence)
    }

    /// `hints` make tools tell more; what the step or the driver says about the same variable counts.
    private func spec(_ request: ExecRequest, hints: [String: String]) -> SandboxSpec {
        var spec = context.project
        spec.argv = request.argv
        spec.environment.merge(hints) { steps, _ in steps }
        spec.environment.merge(request.environment) { _, theirs in theirs }
        if let directory = request.directory {
            spec.workingDirectory = "\(spec.workingDirectory)/\(directory)"
        }
        return spec
    }

    /// At most 32 KiB: they fit into a pipe's buffer, so that writing them waits for nobody.
    private static func input(_ text: String?) throws(Errno) -> OwnedDescriptor {
        guard let text else { return try .null() }
        return try Pipe().split { (read, write) throws(Errno) in
            try write.withDescriptor { end throws(Errno) in
                try FileContents.write(Array(text.utf8)[...], to: end)
            }
            return read
        }
    }

    private func conclude(_ request: ExecRequest, _ end: CommandEnd, _ output: ProjectOutput) -> ExecEnd {
        let words = request.argv.map(masker.current.masked)
        let name = Self.name(words)
        var answer = ExecEnd(id: request.id, duration: end.duration, tail: output.tail)
        var failure: Failure?
        var report: SandboxReport?
        var limits = context.limits
        limits.silence = silence(of: request)
        switch end.ending {
        case .notStarted(let error):
            let lost = Self.lostDirectory(error, request, name)
            if lost != nil { answer.exit = 126 }
            failure = lost ?? OutcomeTable.failure(of: error, command: name)
            if case .execFailed(_, let errno) = error { answer.exit = errno == 2 ? 127 : 126 }
        case .ran(let ran):
            failure = OutcomeTable.failure(of: ran.verdict, command: name, limits: limits)
            answer.fill(ran.verdict)
            report = ran
        }
        failure = failure?.located(by: output.errors)
        if let told = failure, case .ran(let ran) = end.ending {
            failure = told.detailed(output.details, command: words, ran.verdict)
        }
        state.withLock { state in
            state.usage.append(report?.usage ?? Usage(wall: end.duration))
            state.errors += output.errors.prefix(max(0, 20 - state.errors.count))
            if let failure { state.lastFailure = failure }
            if let failure, failure.fault == .platform { state.platformFailure = failure }
        }
        return answer
    }

    /// The failure of a command whose working directory is not there: the project's, which owns the directory.
    private static func lostDirectory(
        _ error: SandboxError,
        _ request: ExecRequest,
        _ name: String
    ) -> Failure? {
        let unusable = [
            Errno.noSuchFileOrDirectory, .notDirectory, .permissionDenied, .tooManySymbolicLinkLevels,
        ]
        guard case .setupFailed(let setup) = error, setup.step == .session, unusable.contains(setup.errno)
        else { return nil }
        let directory = request.directory?.rawValue ?? "."
        return Failure(
            .stepFailed,
            .user,
            "\(name) should run in the directory \"\(directory)\", which is not there or closed"
        )
    }

    /// The command as a person knows it: the first words of its first line.
    private static func name(_ argv: [String]) -> String {
        let isShell = argv.count == 3 && argv[0] == "sh" && argv[1] == "-c"
        let text = isShell ? argv[2] : argv.joined(separator: " ")
        let line = (text.split(whereSeparator: \.isNewline).first ?? "").split(separator: " ")
        var words = ""
        for word in line {
            guard words.isEmpty || words.count + word.count < nameLimit else { return "`\(words) …`" }
            words += words.isEmpty ? String(word.prefix(nameLimit)) : " \(word)"
        }
        return "`\(words)`"
    }
}

extension ExecEnd {
    fileprivate mutating func fill(_ verdict: Verdict) {
        switch verdict {
        case .exit(let status): exit = status
        case .signalled(let number): signal = number
        case .oom, .tooManySockets: oom = true
        case .execFailed(let errno): exit = errno == 2 ? 127 : 126
        case .ended(.wallTimeout), .ended(.silenceTimeout): timeout = true
        case .ended, .pidsLimit, .cpuLimit, .setupFailed, .lost: break
        }
    }
}
