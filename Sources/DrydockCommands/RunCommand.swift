// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockEgress
internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import Glibc
internal import Synchronization

/// The command `drydock run`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs one command in the full sandbox, with the default policy.",
        discussion: """
            The exit status is the command's, 128+n for signal n; 74 output lost, 124 out of time, 125 sandbox not set
            up, 126 not executable, 127 not found.

            EXAMPLES
              drydock run -- python3 -c 'print(6 * 7)'
              drydock run --workspace . --limit memory=512MiB -- make -j2
              drydock run --read-only /srv/data --env MODE=fast -- ./tool /srv/data
              drydock run --why -- ./configure
            """
    )

    @OptionGroup var sandbox: SandboxOptions
    @Flag(help: "Tell what the sandbox stopped: what was tried, what it wanted, and the line that allows it.")
    var why = false
    @Argument(parsing: .postTerminator, help: "The command and its arguments, after `--`.") var command:
        [String] = []

    func validate() throws {
        if command.isEmpty {
            throw ValidationError("there is no command: write it after `--`, as in `drydock run -- true`")
        }
    }

    func run() async throws {
        let prepared = try await sandbox.prepare(command, .process)
        let ended: StreamedSandbox.End
        var fullness: Failure?
        let heard = Heard()
        do {
            defer { prepared.discard() }
            let gauge = try prepared.workspace.gauge(limit: prepared.spec.limits.disk)
            let sandbox = StreamedSandbox(
                spec: prepared.spec,
                workspace: prepared.workspace,
                gauge: gauge,
                onViolation: { violation in heard.violations.withLock { $0.append(violation) } }
            )
            let launcher = EgressLauncher(try Installation().launcher(), prepared.egress)
            ended = try await sandbox.run(with: launcher)
            fullness = gauge?.fullness
        } catch let problem as CommandProblem where problem.status == .unavailable {
            Console.error(problem.text)
            throw ExitCode(125)
        } catch let error as SandboxError {
            throw notStarted(error)
        }
        if why { Self.tell(heard.violations.withLock { $0 }) }
        for use in ended.report.usage.network where !use.verdict.isAllowed {
            Console.error("drydock: run: \(BuildWords.network(use))")
        }
        let verdict = ended.report.verdict
        let status = Self.status(verdict)
        if status != 0, ended.report.usage.network.isCutOff(at: prepared.spec.limits.network) {
            Console.error(
                "drydock: run: the command moved all that it may over the network: "
                    + "give it more with --limit network=SIZE"
            )
        }
        if status != 0, let failure = verdict == .ended(.diskLimit) ? ended.breach : fullness {
            Console.error("drydock: run: \(failure.runWords)")
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// What the sandbox stopped, as it happened.
    private final class Heard: Sendable {
        let violations = Mutex<[Violation]>([])
    }

    /// What was stopped, each once; programs go on without much of it.
    private static func tell(_ violations: [Violation]) {
        if violations.isEmpty { Console.error("drydock: run: the sandbox stopped no call of the command") }
        var told: Set<String> = []
        for violation in violations where told.insert("\(violation.what) \(violation.count)").inserted {
            Console.error("drydock: run: stopped: \(TerminalText.plain(violation.words))")
        }
    }

    /// Says why there was no command, and leaves with the status that tells a script.
    private func notStarted(_ error: SandboxError) -> any Error {
        Console.error(error.problem("run", command: command[0]).text)
        guard case .execFailed(_, let number) = error else { return ExitCode(125) }
        return ExitCode(number == Int(ENOENT) ? 127 : 126)
    }

    private static func status(_ verdict: Verdict) -> Int32 {
        switch verdict {
        case .exit(let code): return Int32(clamping: code)
        case .signalled(let signal): return 128 + Int32(clamping: signal)
        case .oom:
            Console.error(
                "drydock: run: the command ran out of memory: give it more with --limit memory=SIZE"
            )
            return 128 + SIGKILL
        case .tooManySockets:
            Console.error(
                "drydock: run: the command had more sockets than its memory has room for: "
                    + "give it more with --limit memory=SIZE"
            )
            return 128 + SIGKILL
        case .pidsLimit:
            Console.error(
                "drydock: run: the command wanted more processes than --limit processes=NUMBER allows"
            )
            return 128 + SIGKILL
        case .cpuLimit: return 128 + SIGKILL
        case .ended(.wallTimeout), .ended(.silenceTimeout):
            Console.error("drydock: run: time is up: give it more with --limit total=DURATION")
            return 124
        case .ended(.diskLimit): return 128 + SIGKILL
        // Nobody takes its output: it is ended for that, unless somebody else ended it.
        case .ended: return Console.lostOutput?.status.rawValue ?? 128 + SIGTERM
        case .execFailed(let number): return number == Int(ENOENT) ? 127 : 126
        case .setupFailed(let setup):
            Console.error("drydock: run: the sandbox was not set up: \(setup): \(setup.hint)")
            return 125
        case .lost:
            Console.error("drydock: run: the process that watched over the sandbox went away")
            return 125
        }
    }
}
