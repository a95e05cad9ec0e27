// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What binds a worker to those beside it: whether somebody wants it, and who watches that it works.
package struct WorkerTies: Sendable {
    /// Whether there is somebody to work for; a worker that nobody wants finishes its builds, takes no more, and ends.
    package var isWanted: @Sendable () -> Bool
    /// Called again and again while the worker works; what hangs it stops these calls.
    package var beat: @Sendable () -> Void

    package init(
        isWanted: @escaping @Sendable () -> Bool,
        beat: @escaping @Sendable () -> Void
    ) {
        self.isWanted = isWanted
        self.beat = beat
    }

    /// A worker that was started by hand: it works until it is told to end.
    package static let none = WorkerTies(isWanted: { true }, beat: {})
}
