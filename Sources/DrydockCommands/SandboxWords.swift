// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockPlugins
internal import DrydockSandbox

/// The sandbox's values as a person reads them.
extension SandboxError {
    /// What went wrong, and what to do: for the command that was to run.
    func problem(_ what: String, command: String) -> CommandProblem {
        let failure = OutcomeTable.failure(of: self, command: command)
        return CommandProblem(.unavailable, what, why: failure.message, remedy: failure.hint)
    }
}

extension DoctorReport {
    /// What is missing below the highest level, a sentence each with its remedy.
    var missing: [String] {
        checks.filter { !$0.isOK }.map { check in
            "\(check.name): \(check.detail)" + (check.remedy.map { " (\($0))" } ?? "")
        }
    }

    /// The report as text.
    var lines: [String] {
        let width = checks.map(\.name.count).max() ?? 0
        var lines = checks.flatMap { check in
            let first =
                "\(check.isOK ? "ok     " : "MISSING") \(check.name.padded(to: width))  \(check.detail)"
            return [first] + (check.remedy.map { ["        do: \($0)"] } ?? [])
        }
        lines.append("kernel \(kernel), steps run as user \(identity.hostUser) of this machine")
        lines.append("level \(level.name): " + (canBuild() ? "builds can run" : "builds can not run"))
        return lines
    }
}
