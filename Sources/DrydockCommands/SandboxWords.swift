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

extension Failure {
    /// What was wrong with the disk of a command that has no project and no operator: limits are the command line's.
    var runWords: String {
        let remedy =
            fault == .user
            ? "give it more with --limit disk=SIZE"
            : "free some of it, or set TMPDIR to a directory with more room"
        return message.replacing("the build", with: "the command", maxReplacements: 1) + ": " + remedy
    }
}

extension DoctorReport {
    /// What is missing below the highest level, a sentence for each cause with its remedy.
    var missing: [String] {
        var causes: [(names: [String], cause: String)] = []
        for check in checks where !check.isOK {
            let cause = check.detail + (check.remedy.map { " (\($0))" } ?? "")
            if let known = causes.firstIndex(where: { $0.cause == cause }) {
                causes[known].names.append(check.name)
            } else {
                causes.append(([check.name], cause))
            }
        }
        return causes.map { $0.names.joined(separator: ", ") + ": " + $0.cause }
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
        lines.append("level \(level.rawValue): " + (canBuild() ? "builds can run" : "builds can not run"))
        return lines
    }
}
