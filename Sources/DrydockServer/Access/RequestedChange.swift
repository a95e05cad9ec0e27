// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore

/// A change that somebody asks for, and what the audit is to say of it.
///
/// The store writes that record with the change itself: there is none that nobody knows of.
struct RequestedChange: Sendable {
    /// By the operation's name.
    var action: String
    /// The build that it is asked of.
    var build: BuildID?
    var caller: Caller
    let now: @Sendable () -> Timestamp

    /// That it was answered with an HTTP status, over `/ws` with the one that HTTP would have.
    ///
    /// `made` is the build that came of it, `code` why it was refused.
    func record(_ status: Int, made: BuildID? = nil, code: String? = nil) -> AuditRecord {
        AuditRecord(
            at: now(),
            who: caller.name,
            address: caller.address,
            action: action,
            subject: build?.rawValue,
            made: made?.rawValue,
            status: status,
            code: code
        )
    }

    /// That a cancel was answered; nil where there is nothing to cancel, which is a refusal.
    func record(_ answer: CancelAnswer) -> AuditRecord? {
        switch answer {
        case .cancelled, .requested: record(202)
        case .alreadyFinished: record(200)
        case .noSuchBuild: nil
        }
    }
}
