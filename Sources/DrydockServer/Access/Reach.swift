// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// Which builds somebody may see, whatever else they may do.
enum Reach: Hashable, Sendable {
    case everything
    /// Those of one session.
    case session(SessionID)
    /// One, and nothing around it.
    case build(BuildID)

    /// The one build that there is to see; nil where there are more.
    var build: BuildID? { if case .build(let id) = self { id } else { nil } }

    func covers(_ build: Build) -> Bool {
        switch self {
        case .everything: true
        case .session(let session): build.request.session == session
        case .build(let id): build.id == id
        }
    }

    /// Refuses what is told of `session` as a whole.
    func check(_ session: SessionID) throws(Problem) {
        switch self {
        case .everything: return
        case .session(let own) where own == session: return
        case .session, .build: throw refusal
        }
    }

    /// Refuses `build` where it is out of reach.
    func check(_ build: Build) throws(Problem) { if !covers(build) { throw refusal } }

    /// Says what there is to see, and not whether there is anything else.
    private var refusal: Problem {
        switch self {
        case .everything: Problem(403, "session_not_allowed", "this is out of reach")
        case .session(let session):
            Problem(
                403,
                "session_not_allowed",
                "the ticket is good for the session \"\(session)\" only",
                hint: "ask for a ticket of the other session"
            )
        case .build(let id):
            Problem(
                403,
                "session_not_allowed",
                "the ticket is good for the build \(id) only, and not for a session",
                hint: "open the build by itself, or ask for a ticket of its session"
            )
        }
    }
}
