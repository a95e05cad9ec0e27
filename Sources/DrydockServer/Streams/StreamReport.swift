// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How those who watch in wire profile 1 are doing.
struct StreamReport: Sendable {
    /// Connections that watch a session.
    var viewers = 0
    /// Builds that are kept for them.
    var builds = 0
    /// The most records that one of them is behind.
    var lag: UInt64 = 0
}
