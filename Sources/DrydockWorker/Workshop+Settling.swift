// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockStore
internal import Logging

extension Workshop {
    /// Settles what processes left that ended in the middle: their builds go back to the queue, and their workspaces.
    ///
    /// For whoever is about to build here.
    package func settle() async throws {
        // Taken back first: what belongs to a lease is in use, whoever held it.
        try await takeBack()
        try await removeLeftovers()
    }

    /// Gives builds that nobody works on any more back to the queue; whether there were any.
    @discardableResult
    func takeBack() async throws -> Bool {
        let lost = try await store.reap()
        for build in lost {
            logger.warning(
                "a build's worker was lost",
                metadata: ["build": "\(build.id)", "now": "\(build.state)"]
            )
        }
        return !lost.isEmpty
    }

    /// Removes workspaces and snapshots whose attempt is under nobody's lease.
    func removeLeftovers() async throws {
        try await Leftovers(folders: [options.work, options.snapshots], store: store, logger: logger).remove()
    }
}
