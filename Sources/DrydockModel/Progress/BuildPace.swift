// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How far a build is and when it will be done, worked out from its events, its plan, and the project's past.
///
/// Times are seconds since the build began to run.
package struct BuildPace: Sendable {
    private static let mostStages = BuildHistory.mostStages
    /// Without a past nothing is said about the end before this many seconds.
    private static let firstGuess = 15.0

    private struct Step: Sendable {
        var id: StepID
        var weight: Double
        var stages: [StagePace]
        var isOver = false
    }

    private let past: BuildHistory
    private var steps: [Step] = []
    private var percent = 0

    /// `stages` are those that the plugin of each step may show, with their weights.
    package init(_ plan: Plan, stages: (PlannedStep) -> [(id: StageID, weight: Double)], past: BuildHistory) {
        self.past = past
        for step in plan.steps {
            let known = past.stages(of: step.id)
            let paces =
                known.isEmpty
                ? stages(step).map { stage in
                    StagePace(StageKey(step: step.id, stage: stage.id), weight: stage.weight, past: nil)
                }
                : known.map { stage in
                    StagePace(stage.key, weight: max(stage.typical, 0.001), past: stage)
                }
            let time = known.reduce(0) { $0 + $1.typical }
            steps.append(
                Step(id: step.id, weight: known.isEmpty ? step.weight : max(time, 0.001), stages: paces)
            )
        }
    }

    /// Takes an event of a step in.
    package mutating func note(_ event: Event, step: StepID?, at now: Double) {
        guard let step, let index = steps.firstIndex(where: { $0.id == step }) else { return }
        switch event {
        case .step(let change):
            if change.state == .running { begin(nil, of: index, at: now) }
            if change.state.isTerminal {
                for stage in steps[index].stages.indices { steps[index].stages[stage].end(at: now) }
                steps[index].isOver = true
            }
        case .stage(let change):
            switch change.op {
            case .start: begin(change.stage, of: index, at: now)
            case .end: update(change.stage, of: index) { $0.end(at: now) }
            case .skip: update(change.stage, of: index) { $0.pass() }
            }
        case .progress(let progress): update(progress.stage, of: index) { $0.note(progress, at: now) }
        default: break
        }
    }

    /// Whether an event can change anything: most are lines of output.
    package static func isOfInterest(_ event: Event) -> Bool {
        switch event {
        case .step, .stage, .progress: true
        default: false
        }
    }

    private mutating func update(_ stage: StageID?, of step: Int, _ body: (inout StagePace) -> Void) {
        guard let index = steps[step].stages.firstIndex(where: { $0.key.stage == stage }) else { return }
        body(&steps[step].stages[index])
    }

    private mutating func begin(_ stage: StageID?, of step: Int, at now: Double) {
        let known = steps[step].stages.firstIndex { $0.key.stage == stage }
        // Outside of stages there is a time of its own only where there are none.
        if stage == nil, known == nil, !steps[step].stages.isEmpty { return }
        if let stage, known == nil, steps.reduce(0, { $0 + $1.stages.count }) < Self.mostStages {
            let key = StageKey(step: steps[step].id, stage: stage)
            let mean = steps[step].stages.map(\.weight).median ?? 1
            let next = steps[step].stages.firstIndex { $0.begun == nil } ?? steps[step].stages.count
            steps[step].stages.insert(StagePace(key, weight: mean, past: past[key]), at: next)
        } else if stage == nil, known == nil {
            let key = StageKey(step: steps[step].id, stage: nil)
            steps[step].stages.append(StagePace(key, weight: 1, past: past[key]))
        }
        guard let index = steps[step].stages.firstIndex(where: { $0.key.stage == stage }) else { return }
        steps[step].stages[index].begin(at: now)
        for before in 0..<index where steps[step].stages[before].begun == nil {
            steps[step].stages[before].pass()
        }
    }

    // MARK: Answers

    /// How far it is now: never less than before, and 99 at the most.
    package mutating func estimate(at now: Double) -> Estimate {
        var (whole, done) = (0.0, 0.0)
        for index in steps.indices {
            whole += steps[index].weight
            done += steps[index].weight * fraction(of: index, at: now)
        }
        let fraction = whole > 0 ? done / whole : 0
        percent = max(percent, min(99, Int(fraction * 100)))
        let isOverdue = past.totals.count >= 3 && now > (past.totals.quantile(0.9) ?? .infinity)
        return Estimate(percent: percent, remaining: remaining(fraction, now), isOverdue: isOverdue)
    }

    private mutating func fraction(of step: Int, at now: Double) -> Double {
        if steps[step].isOver { return 1 }
        var (whole, done) = (0.0, 0.0)
        for index in steps[step].stages.indices where !steps[step].stages[index].isAbsent {
            whole += steps[step].stages[index].weight
            done += steps[step].stages[index].weight * steps[step].stages[index].fraction(at: now)
        }
        return whole > 0 ? done / whole : 0
    }

    /// Seconds that are left, as a range; nil while that would be a guess.
    private func remaining(_ fraction: Double, _ now: Double) -> ClosedRange<Int>? {
        guard let total = past.totals.median, total > 0 else {
            // From time alone nothing follows: a tool has said how far it is, or a stage is over.
            let isGrounded = steps.contains { $0.stages.contains(where: \.isGrounded) }
            guard now >= Self.firstGuess, fraction >= 0.05, isGrounded else { return nil }
            let left = now * (1 - fraction) / fraction
            return Self.seconds(left * 0.6, left * 1.8)
        }
        // As it goes today, within reason.
        let pace = fraction > 0.1 ? min(2, max(0.5, now / (fraction * total))) : 1
        let left = max(0, (1 - fraction) * total * pace)
        return Self.seconds(left * 0.8, left * 1.3)
    }

    private static func seconds(_ least: Double, _ most: Double) -> ClosedRange<Int> {
        // A week: nobody waits for more, and it fits.
        Int(min(least, 604_800).rounded())...Int(min(most, 604_800).rounded(.up))
    }

    /// The project's past with this build, which succeeded after so many seconds.
    package func learned(total: Double) -> BuildHistory {
        var history = BuildHistory()
        history.totals = Array((past.totals + [total]).suffix(BuildHistory.most))
        history.stages = steps.flatMap(\.stages).compactMap(\.learned).prefix(BuildHistory.mostStages).map(
            \.self
        )
        return history
    }
}

/// How far a build is, and when it will be done: the host's own word.
package struct Estimate: Codable, Hashable, Sendable {
    /// 0…99; a build that is over has no estimate.
    package var percent: Int
    /// Seconds that are left, at the least and at the most; nil = nobody can say yet.
    package var remaining: ClosedRange<Int>?
    /// It takes longer than nine of ten builds of this project did.
    package var isOverdue: Bool

    package init(percent: Int, remaining: ClosedRange<Int>? = nil, isOverdue: Bool = false) {
        self.percent = percent
        self.remaining = remaining
        self.isOverdue = isOverdue
    }
}
