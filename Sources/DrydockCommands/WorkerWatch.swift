// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS

/// Judges by its lock's count whether a worker works: a value, so that it can be tested without one.
///
/// Only time in which the watcher itself ran counts: a machine that slept, or a server that was stopped, blames nobody.
struct WorkerWatch: Sendable {
    enum Verdict: Sendable, Equatable {
        case fine
        case hangs
    }

    enum Health: Sendable, Equatable {
        case works
        /// For so long now.
        case silent(Duration)
        /// None is there.
        case absent
    }

    /// So much silence means that it hangs.
    static let patience = Duration.seconds(15)
    /// So much is no news: a busy machine, a slow disk.
    private static let quiet = Duration.seconds(3)
    /// More than that between two looks was not spent looking.
    private static let longestLook = Duration.seconds(1)

    private var last: LivenessLock.Holder?
    private var lookedAt: SuspendingClock.Instant?
    private var silence = Duration.zero
    private var isThere = false

    var health: Health {
        if !isThere { return .absent }
        return silence > Self.quiet ? .silent(silence) : .works
    }

    /// Takes one look into account.
    mutating func look(at status: LivenessLock.Status, _ now: SuspendingClock.Instant) -> Verdict {
        let passed = lookedAt.map { min(now - $0, Self.longestLook) } ?? .zero
        lookedAt = now
        switch status {
        case .free:
            // Ours has been started and is on its way to the lock; that, too, must not take for ever.
            isThere = false
            silence += passed
        case .held(let holder):
            // One that does not say who it is has just come, or is a stranger that holds the lock.
            isThere = holder != nil
            silence = holder == last ? silence + passed : .zero
            last = holder
        }
        guard silence >= Self.patience else { return .fine }
        silence = .zero
        return .hangs
    }
}
