// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockSandbox

/// What a driver's end means: the driver's part of the table in `docs/plugin-protocol.md`.
struct DriverJudgement {
    let plugin: PluginName
    let statement: DriverStatement
    /// Of the last command that did not succeed.
    let lastFailure: Failure?
    let platformFailure: Failure?

    /// nil when the driver did its work.
    func failure(_ verdict: Verdict, limits: Limits) -> Failure? {
        if let platformFailure { return platformFailure }
        if let reason = statement.closed {
            return Failure(.pluginProtocol, .plugin, "the plugin \(plugin) broke the protocol: \(reason)")
        }
        switch verdict {
        case .exit(let status): return failure(exit: status)
        case .setupFailed, .lost:
            return OutcomeTable.failure(of: verdict, command: plugin.rawValue, limits: limits)
        case .ended(.cancelled): return Failure(.cancelled, .user, "cancelled")
        case .ended(.wallTimeout):
            // The command's time is the step's: where it ended a command, the driver is not to blame.
            if let lastFailure, lastFailure.code == .stepTimeout { return lastFailure }
            if let lastFailure, lastFailure.code == .cancelled {
                return Failure(.stepTimeout, .user, "a command of the step was not done when its time was up")
            }
            return Failure(.pluginTimeout, .plugin, "the plugin \(plugin) was not done when its time was up")
        case .ended(.silenceTimeout):
            return Failure(.pluginTimeout, .plugin, "the plugin \(plugin) neither did nor said anything")
        default:
            let plain = OutcomeTable.failure(of: verdict, command: "the plugin \(plugin)", limits: limits)
            return plain.map { Failure(.pluginCrashed, .plugin, $0.message) }
        }
    }

    private func failure(exit status: Int) -> Failure? {
        switch status {
        case 0: failureDespiteSuccess
        case 1...63: diedInTheMiddle ? died(status) : projectFailure(status)
        case 64: Failure(.pluginProtocol, .plugin, "the plugin \(plugin) does not know the verb \"run\"")
        case 65:
            Failure(.configInvalid, .user, said ?? "the plugin \(plugin) can not work with its parameters")
        default:
            Failure(
                .pluginCrashed,
                .plugin,
                "the plugin \(plugin) ended with exit status \(status)",
                hint: said
            )
        }
    }

    /// Whether a driver that knows the protocol went away without a word about how its work ended.
    ///
    /// What the host saw of its command, out of memory or out of time, still says more.
    private var diedInTheMiddle: Bool {
        statement.saidHello && statement.end == nil && statement.error == nil
            && (lastFailure == nil || lastFailure?.code == .stepFailed)
    }

    private func died(_ status: Int) -> Failure {
        Failure(
            .pluginCrashed,
            .plugin,
            "the plugin \(plugin) ended with exit status \(status) before it said \"end\"",
            hint: "its own last lines of output tell more"
        )
    }

    /// Exit status 0 is a success unless the driver's own words are against it.
    private var failureDespiteSuccess: Failure? {
        switch statement.end?.status {
        case .ok: nil
        case .failed: projectFailure(0)
        case nil:
            statement.saidHello
                ? Failure(.pluginTruncated, .plugin, "the plugin \(plugin) stopped before it said \"end\"")
                : nil
        }
    }

    private var said: String? { statement.error?.message ?? statement.end?.message }

    private func projectFailure(_ status: Int) -> Failure {
        // What the host saw says more than any message: out of memory, out of time, …
        if let lastFailure, lastFailure.code != .stepFailed { return lastFailure }
        let declared = statement.error
        if let said {
            let fault: Fault = declared?.fault == .plugin ? .plugin : .user
            var failure = Failure(
                fault == .plugin ? .pluginCrashed : .stepFailed,
                fault,
                said,
                hint: declared?.hint,
                file: statement.errors.first?.file ?? lastFailure?.file,
                line: statement.errors.first.map(\.line) ?? lastFailure?.line
            )
            var details = lastFailure?.details ?? FailureDetails()
            details.cause = statement.errors.first ?? details.cause
            failure.details = details
            return failure
        }
        return lastFailure
            ?? Failure(.stepFailed, .user, "the plugin \(plugin) ended with exit status \(status)")
            .located(by: statement.errors)
    }
}
