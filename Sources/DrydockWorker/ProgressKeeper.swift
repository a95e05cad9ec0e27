// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import Synchronization

/// Says how far a build is while it runs, in the host's name.
///
/// Thread-safe: the events come from the threads that read pipes.
final class ProgressKeeper: Sendable {
    private struct State: Sendable {
        var pace: BuildPace
        var last: Estimate?
        var lastAt = -Double.infinity
    }

    /// Seconds after which a new estimate of the end is worth a record of its own.
    private static let worthwhile = 5.0

    private let clock: any MonotonicClock
    private let begun: ContinuousClock.Instant
    private let state: Mutex<State>

    init(_ pace: BuildPace, clock: any MonotonicClock) {
        self.clock = clock
        begun = clock.now
        state = Mutex(State(pace: pace))
    }

    private var now: Double { begun.duration(to: clock.now).inSeconds }

    /// Takes in what a step's events tell.
    func note(_ events: [Event], step: StepID?) {
        guard events.contains(where: BuildPace.isOfInterest) else { return }
        let now = now
        state.withLock { state in
            for event in events { state.pace.note(event, step: step, at: now) }
        }
    }

    /// Tells `sink` what is new, looking so often, until it is cancelled.
    ///
    /// A build that is done sooner says nothing.
    func run(_ sink: JournalSink, every interval: Duration) async {
        // cancelled: the build's steps are over
        while (try? await clock.pause(for: interval)) != nil {
            if let estimate = due { sink.record(.estimate(estimate)) }
        }
    }

    /// What is new and worth saying.
    private var due: Estimate? {
        let now = now
        return state.withLock { state in
            let estimate = state.pace.estimate(at: now)
            let isNews =
                estimate.percent != state.last?.percent ?? 0
                || estimate.isOverdue != state.last?.isOverdue ?? false
            guard isNews || (now - state.lastAt >= Self.worthwhile && estimate != state.last) else {
                return nil
            }
            (state.last, state.lastAt) = (estimate, now)
            return estimate
        }
    }

    /// The project's past with this build, which succeeded.
    var learned: BuildHistory {
        let now = now
        return state.withLock { $0.pace.learned(total: now) }
    }
}
