// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

/// What a command says when it can not do its work: `drydock: what: why: what to do`.
struct CommandProblem: Error {
    let status: ExitStatus
    /// What was tried.
    let what: String
    let why: String
    /// What to do, where there is something to do.
    let remedy: String?

    init(_ status: ExitStatus, _ what: String, why: String, remedy: String? = nil) {
        self.status = status
        self.what = what
        self.why = why
        self.remedy = remedy
    }

    /// The problem that `failure` is for someone who asked for `what` on the command line.
    init(_ what: String, _ failure: Failure, status: ExitStatus? = nil) {
        self.init(
            status ?? ExitStatus(Outcome(failure)),
            what,
            why: failure.place + failure.message,
            remedy: failure.hint
        )
    }

    var text: String {
        "drydock: \(what): \(why)" + (remedy.map { ": \($0)" } ?? "")
    }
}
