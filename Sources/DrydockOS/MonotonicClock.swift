// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The time that deadlines and pauses are counted in.
///
/// The program's is `ContinuousClock`; a test's moves when the test says so.
package protocol MonotonicClock: Clock where Instant == ContinuousClock.Instant {}

extension ContinuousClock: MonotonicClock {}

extension MonotonicClock {
    /// Returns once `duration` has passed; throws `CancellationError` when its task is cancelled before.
    package func pause(for duration: Duration) async throws {
        try await sleep(until: now.advanced(by: duration), tolerance: nil)
    }
}
