// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockSandbox

/// How a command ended, in words a person need not look up.
struct StatusWords {
    let verdict: Verdict
    /// The last lines of its output.
    let output: [String]

    /// nil where there is nothing to add to the failure's own sentence.
    var text: String? {
        switch verdict {
        case .exit(126): "exit status 126: what it should run is there, and can not be executed"
        case .exit(127):
            missingProgram.map { "exit status 127: there is no program \"\($0)\"" }
                ?? "exit status 127: a program that it should run is not there"
        case .exit(137): "exit status 137: something it ran was killed (SIGKILL), and not for want of memory"
        case .exit(let status) where (129...192).contains(status):
            "exit status \(status): something it ran was ended by signal \(status - 128)"
                + OutcomeTable.signalName(status - 128)
        case .exit(let status): "exit status \(status)"
        case .signalled(let signal): "ended by signal \(signal)\(OutcomeTable.signalName(signal))"
        case .oom: "killed, because the memory that it may use was full"
        case .execFailed(let errno): errno == 2 ? "not started: there is no such program" : "not started"
        default: nil
        }
    }

    /// What to do about it, where the status itself says so.
    var hint: String? {
        guard verdict == .exit(127) || verdict == .execFailed(errno: 2) else { return nil }
        return "install it where builds run, name its directory in the configuration's `toolchain`, or have the "
            + "project bring it along"
    }

    /// The name in a shell's last words: `sh: 1: foo: not found`, `bash: line 1: foo: command not found`.
    private var missingProgram: String? {
        for line in output.reversed() {
            for ending in [": command not found", ": not found"] where line.hasSuffix(ending) {
                let name = line.dropLast(ending.count).split(separator: " ").last.map(String.init) ?? ""
                let plain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._+-/".contains($0)) }
                if plain, (1...100).contains(name.count) { return name }
            }
        }
        return nil
    }
}

extension Failure {
    /// The failure with what is known about the command that it is about.
    func detailed(_ details: FailureDetails, command: [String], _ verdict: Verdict) -> Failure {
        var details = details
        details.command = FailureDetails.clipped(command.joined(separator: " "), to: FailureDetails.longestCommand)
        let words = StatusWords(verdict: verdict, output: details.output)
        details.status = words.text
        var failure = self
        failure.details = details
        failure.hint = failure.hint ?? words.hint
        return failure
    }
}
