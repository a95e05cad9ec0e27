// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import GRDB

/// How a build ends, with everything that is written in the same transaction.
struct BuildEnd: Sendable {
    /// Who says so: the same failure may come from its worker, and from others when there is none any more.
    ///
    /// Stands in the row, so a name that was released is never changed.
    enum Author: String, Sendable, CaseIterable {
        /// The worker that had the lease, behind the end in its journal.
        case worker
        /// The journal that its attempt left: the worker had ended it there, and came no further.
        case journal
        /// Whoever found the lease lapsed, and no end in the journal.
        case reaper
        /// Nobody had a lease: it was cancelled while it waited, or its row could not be read when its turn came.
        case queue
        /// The index was made again, and the journal had no end.
        case rebuild

        /// Whether the attempt's journal had an end when this one was written: where it has none now, it lost that.
        ///
        /// The reaper writes one too, but behind the row, and a row without it is whole.
        var hadJournalEnd: Bool {
            switch self {
            case .worker, .journal: true
            case .reaper, .queue, .rebuild: false
            }
        }
    }

    var by: Author
    var outcome: Outcome
    var artifacts: [Artifact] = []
    var preview: PreviewReady?
    var at: Timestamp

    /// `fromAnyState`: the state was left behind by a dead worker, or can not be read, and says nothing.
    func apply(to build: inout Build, _ db: Database, fromAnyState: Bool = false) throws {
        if fromAnyState {
            build.state = outcome.state
        } else {
            try BuildRows.move(&build, to: outcome.state)
        }
        build.finishedAt = at
        build.failure = outcome.failure
        build.deploy = preview?.deploy
        try BuildRows.save(&build, db)
        try BuildRows.setAuthor(by, of: build.id, db)
        try DeployRows.replace(artifacts, preview, of: build.id, db)
        if let attempt = build.attempt {
            try db.run("DELETE FROM cancels WHERE attempt = ?", [attempt.rawValue])
        }
    }
}
