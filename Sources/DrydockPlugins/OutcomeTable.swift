// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockSandbox

/// What the end of a process means: one table, also in `docs/plugin-protocol.md`.
package enum OutcomeTable {
    /// Why a command of the project did not succeed; nil when it did.
    ///
    /// `command` is what ran, as a person knows it.
    package static func failure(of verdict: Verdict, command: String, limits: Limits) -> Failure? {
        switch verdict {
        case .exit(0): nil
        case .exit(let status): Failure(.stepFailed, .user, "\(command) ended with exit status \(status)")
        case .signalled(let signal):
            Failure(.stepFailed, .user, "\(command) was ended by signal \(signal)\(signalName(signal))")
        case .oom:
            Failure(
                .oom,
                .user,
                "\(command) needed more memory than the \(limits.memory) it may use",
                hint: "build with less in parallel, or raise limits.memory"
            )
        case .tooManySockets:
            Failure(
                .oom,
                .user,
                "\(command) had more sockets than fit into the \(limits.memory) of memory it may use",
                hint: "close sockets that are no longer used, or raise limits.memory"
            )
        case .pidsLimit:
            Failure(
                .pidsLimit,
                .user,
                "\(command) wanted more than \(limits.processes) processes at a time",
                hint: "build with less in parallel, or raise limits.processes"
            )
        case .cpuLimit: Failure(.cpuLimit, .user, "\(command) used up its CPU time")
        case .ended(let reason): failure(of: reason, command: command, limits: limits)
        case .execFailed(let errno): Failure(.stepFailed, .user, "\(command) \(execution(errno))")
        case .setupFailed(let setup): failure(of: setup)
        case .lost: Failure(.lost, .platform, "the process that watched over the sandbox went away")
        }
    }

    private static func failure(of reason: EndReason, command: String, limits: Limits) -> Failure {
        switch reason {
        case .cancelled: Failure(.cancelled, .user, "\(command) was cancelled")
        case .wallTimeout:
            Failure(
                .stepTimeout,
                .user,
                "\(command) was not done when its time was up",
                hint: "give the step more time (timeout), or make it do less"
            )
        case .silenceTimeout:
            Failure(
                .silenceTimeout,
                .user,
                "\(command) wrote nothing for \(Int(limits.silence.inSeconds)) seconds",
                hint: "it hangs, or it should say what it is doing; limits.silence allows longer pauses"
            )
        case .diskLimit:
            Failure(
                .diskFull,
                .user,
                "\(command) wrote more than the \(limits.disk) it may",
                hint: "write less, or raise limits.disk"
            )
        }
    }

    private static func failure(of setup: SetupFailure) -> Failure {
        Failure(
            .sandboxUnavailable,
            .platform,
            "the sandbox could not be set up: \(setup)",
            hint: setup.hint
        )
    }

    /// Why nothing was started.
    package static func failure(of error: SandboxError, command: String) -> Failure {
        switch error {
        case .jailNotFound(let places):
            Failure(
                .sandboxUnavailable,
                .platform,
                "drydock-jail was not found (looked at \(places.joined(separator: ", ")))",
                hint: "`make` builds it; put it beside drydock"
            )
        case .setupFailed(let setup): failure(of: setup)
        case .execFailed(_, let errno): Failure(.stepFailed, .user, "\(command) \(execution(errno))")
        case .invalidSpec(let reason): Failure(.stepFailed, .user, "\(command) can not be started: \(reason)")
        case .host(let call, let errno):
            Failure(
                .sandboxUnavailable,
                .platform,
                "the host could not start a sandbox: \(call), errno \(errno)"
            )
        }
    }

    /// What is said of a command that is not there.
    package static let missing = "is not there (or its interpreter is not)"

    private static func execution(_ errno: Int) -> String {
        switch errno {
        case 2: missing
        case 13: "can not be executed: no permission"
        case 7: "can not be executed: its arguments and environment are too long"
        case 8: "can not be executed: its format is unknown; does it begin with #! and an interpreter?"
        default: "can not be executed: errno \(errno)"
        }
    }

    static func signalName(_ signal: Int) -> String {
        let names = [
            4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM",
            25: "SIGXFSZ", 31: "SIGSYS",
        ]
        return names[signal].map { " (\($0))" } ?? ""
    }
}

extension Failure {
    /// The same failure at the place of the first error that the command's output showed, which says more.
    func located(by errors: [Diagnostic]) -> Failure {
        guard code == .stepFailed, let first = errors.first else { return self }
        var failure = self
        failure.message = "error: \(first.message); \(message)"
        failure.hint = hint ?? first.hint
        (failure.file, failure.line) = (first.file, first.line)
        return failure
    }

    /// The same failure as the plugin's fault: its own process could not even be started.
    var blamedOnPlugin: Failure {
        guard fault == .user else { return self }
        var failure = self
        (failure.code, failure.fault) = (.pluginCrashed, .plugin)
        failure.hint = hint ?? "see `drydock plugin list`"
        return failure
    }
}
