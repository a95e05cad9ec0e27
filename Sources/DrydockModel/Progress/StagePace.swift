// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc

/// How far one stage is, from what is told of it, from its past, and from the time.
struct StagePace: Sendable {
    /// What a stage that is not over is at most.
    static let most = 0.97
    /// Seconds after which a stage that nobody knows anything of is taken to be three tenths done; half of it after three
    /// times as long, nine tenths after a hundred times.
    private static let unknownPace = 8.0
    /// Units that are counted.
    private static let mostUnits = 16

    let key: StageKey
    let weight: Double
    private let past: StageHistory?
    private(set) var begun: Double?
    private(set) var ended: Double?
    private(set) var isPassed = false
    /// n of m, the best that was told.
    private var told = 0.0
    private var toldAt = 0.0
    private var units: [String: Double] = [:]
    private(set) var curve = ProgressCurve()
    private var shown = 0.0

    init(_ key: StageKey, weight: Double, past: StageHistory?) {
        self.key = key
        self.weight = weight
        self.past = past
    }

    /// It does not come in this build: no part of the work, neither done nor to be done.
    var isAbsent: Bool { isPassed && begun == nil }

    /// Whether it has shown how fast the work goes.
    var isGrounded: Bool { told > 0 || (begun != nil && ended != nil) }

    mutating func begin(at now: Double) {
        begun = begun ?? now
        ended = nil
        isPassed = false
    }

    mutating func end(at now: Double) { ended = ended ?? now }

    /// A later one began, or somebody says so: it will not come any more, as it seems.
    mutating func pass() { isPassed = true }

    mutating func note(_ progress: Progress, at now: Double) {
        let fraction: Double
        if let total = progress.total, total > 0 {
            fraction = min(1, progress.current / total)
        } else if let unit = progress.unit {
            // Names are the project's to invent.
            guard units[unit] != nil || units.count < Self.mostUnits else { return }
            units[unit] = max(units[unit] ?? 0, progress.current)
            guard let last = past?.units[unit], last > 0 else { return }
            fraction = min(1, progress.current / last)
        } else {
            return
        }
        guard fraction > told else { return }
        told = fraction
        toldAt = now - (begun ?? now)
        curve.note(told, at: toldAt)
    }

    /// 0…1, never less than before.
    mutating func fraction(at now: Double) -> Double {
        if ended != nil || isPassed {
            shown = 1
        } else if let begun {
            shown = max(shown, min(Self.most, estimate(max(0, now - begun))))
        }
        return shown
    }

    private func estimate(_ elapsed: Double) -> Double {
        guard let past, past.typical > 0 else {
            // Nobody knows: what the tool says, or a bar that slows down. By a power of the time and not exponentially, since
            // stages take anything from a second to an hour: a short one has to be seen, and a long one must not be "done".
            return max(told, 1 - 1 / (1 + elapsed / Self.unknownPace).squareRoot())
        }
        let last = past.durations.last ?? past.typical
        if told > 0, last > 0, let (at, next) = past.curve.seconds(at: told, of: last) {
            // Between two words of the tool the time goes on.
            return (at + min(elapsed - toldAt, max(0, next - at))) / last
        }
        if told > 0 { return told }
        // Straight as long as it goes as it did, then ever slower.
        let share = elapsed / past.typical
        return share < 0.9 ? share : 0.9 + 0.07 * (1 - exp(-(share - 0.9)))
    }

    /// What is learned of it for the next build.
    var learned: StageHistory? {
        guard let begun, let ended else { return nil }
        return StageHistory(
            key: key,
            durations: Array(((past?.durations ?? []) + [ended - begun]).suffix(BuildHistory.most)),
            units: units,
            curve: curve
        )
    }
}
