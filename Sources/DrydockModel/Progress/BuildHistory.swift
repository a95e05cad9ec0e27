// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What a project's last builds that succeeded were like: how long their stages took, and what told how far they were.
///
/// Learned by `BuildPace`, kept with the project, and no more than a hint: nothing depends on it.
package struct BuildHistory: Codable, Hashable, Sendable {
    /// Builds that it remembers.
    static let most = 8
    /// Stages that it remembers.
    static let mostStages = 200

    /// Seconds of whole builds, the newest last.
    package var totals: [Double] = []
    /// In the order in which they began in the last build.
    package var stages: [StageHistory] = []

    package init() {}

    subscript(key: StageKey) -> StageHistory? { stages.first { $0.key == key } }

    /// Those of a step; empty where nothing is known of it.
    func stages(of step: StepID) -> [StageHistory] { stages.filter { $0.key.step == step } }
}

/// A stage in a step; what stands outside of any stage is one of its own.
struct StageKey: Codable, Hashable, Sendable {
    var step: StepID
    var stage: StageID?
}

/// One stage, as it was in the last builds.
package struct StageHistory: Codable, Hashable, Sendable {
    var key: StageKey
    /// Seconds, the newest last.
    var durations: [Double]
    /// Units that were seen in the last build, by name: what its counting without a total will come to.
    var units: [String: Double]
    /// How the tool's own n of m grew over the stage's time in the last build; empty where it told none.
    var curve: ProgressCurve

    var typical: Double { durations.median ?? 0 }
}

extension [Double] {
    /// nil for no values.
    package var median: Double? {
        guard !isEmpty else { return nil }
        let sorted = sorted()
        return count.isMultiple(of: 2) ? (sorted[count / 2 - 1] + sorted[count / 2]) / 2 : sorted[count / 2]
    }

    /// The value that a share of them is not above.
    func quantile(_ share: Double) -> Double? {
        guard !isEmpty else { return nil }
        return sorted()[Swift.min(count - 1, Int(share * Double(count)))]
    }
}

/// How far a stage said it was, against how far it was in time: 29 % of the files may be half of the wait.
struct ProgressCurve: Codable, Hashable, Sendable {
    /// What was told, 0…1, and the seconds since the stage began; both rising.
    private(set) var points: [Point] = []

    struct Point: Codable, Hashable, Sendable {
        var told: Double
        var at: Double
    }

    private static let most = 64

    mutating func note(_ told: Double, at seconds: Double) {
        guard told > (points.last?.told ?? 0) else { return }
        points.append(Point(told: told, at: seconds))
        if points.count > Self.most {
            // Every other one: the form stays.
            points = points.enumerated().filter {
                $0.offset.isMultiple(of: 2) || $0.offset == points.count - 1
            }
            .map(\.element)
        }
    }

    /// The seconds at which it was so far, between the points by a straight line, and those of the next point; nil where
    /// nothing was told.
    func seconds(at told: Double, of duration: Double) -> (at: Double, next: Double)? {
        guard !points.isEmpty else { return nil }
        var before = Point(told: 0, at: 0)
        for point in points + [Point(told: 1, at: duration)] {
            if told < point.told {
                let span = point.told - before.told
                return (before.at + (point.at - before.at) * (told - before.told) / span, point.at)
            }
            before = point
        }
        return (points.last?.at ?? duration, duration)
    }
}
