// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How much is kept of what builds of a project leave to its next ones (`$DRYDOCK_CACHE`).
package struct ProjectCacheLimits: Hashable, Sendable {
    /// Of one project; zero keeps nothing.
    package var size = ByteCount.gibibytes(2)
    /// Of all of them: beyond it those that were used longest ago go.
    package var total = ByteCount.gibibytes(20)
    /// Files, directories and links of one project.
    package var entries = 500_000

    /// What holds where the operator says nothing.
    package init() {}
}
