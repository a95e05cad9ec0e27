// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockModel

@Suite("How far a build is")
struct BuildPaceTests {
    fileprivate static let step = StepID(unchecked: "make")
    fileprivate static let configure = StageID(rawValue: "configure")
    fileprivate static let compile = StageID(rawValue: "compile")
    fileprivate static let plan = Plan(steps: [
        PlannedStep(id: step, plugin: PluginName(unchecked: "make"), title: "Make")
    ])

    /// A build of two stages: configure takes `configure` seconds and says nothing, compile says n of 10 at these seconds.
    private func play(
        past: BuildHistory = BuildHistory(),
        configure: Double = 10,
        compile: [Double] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 40],
        _ seen: (Double, Estimate) -> Void = { _, _ in }
    ) -> BuildHistory {
        var pace = BuildPace(
            Self.plan,
            stages: { _ in [(Self.configure, 1), (Self.compile, 4)] },
            past: past
        )
        let step = Self.step
        var events: [(Double, Event)] = [
            (0, .step(StepChange(state: .running, title: "Make"))),
            (0, .stage(StageChange(stage: Self.configure, op: .start))),
            (configure, .stage(StageChange(stage: Self.configure, op: .end, status: .ok))),
            (configure, .stage(StageChange(stage: Self.compile, op: .start))),
        ]
        for (index, second) in compile.enumerated() {
            events.append(
                (
                    configure + second,
                    .progress(Progress(stage: Self.compile, current: Double(index + 1), total: 10))
                )
            )
        }
        let end = configure + (compile.last ?? 0) + 1
        events += [
            (end, .stage(StageChange(stage: Self.compile, op: .end, status: .ok))),
            (end, .step(StepChange(state: .succeeded, title: "Make"))),
        ]
        var rest = events[...]
        for tenth in 0...Int(end * 10) {
            let now = Double(tenth) / 10
            while let (at, event) = rest.first, at <= now {
                pace.note(event, step: step, at: at)
                rest = rest.dropFirst()
            }
            seen(now, pace.estimate(at: now))
        }
        return pace.learned(total: end)
    }

    @Test("it never goes back, and is not done before it is done", arguments: [0, 1, 5])
    func monotone(builds: Int) {
        var past = BuildHistory()
        for _ in 0..<builds { past = play(past: past) }
        var last = 0
        // Slower than ever, with counters that start again.
        _ = play(past: past, configure: 30, compile: [5, 1, 2, 90]) { _, estimate in
            #expect(estimate.percent >= last && estimate.percent <= 99)
            last = estimate.percent
        }
        #expect(last > 50)
    }

    @Test(
        "the second build is told right at a quarter, a half and three quarters, though the tool's count is not"
    )
    func calibrated() {
        let past = play()
        var errors: [Double] = []
        let whole = 51.0
        _ = play(past: past) { now, estimate in
            for share in [0.25, 0.5, 0.75] where abs(now - share * whole) < 0.05 {
                errors.append(abs(Double(estimate.percent) / 100 - share) / share)
            }
        }
        #expect(errors.count >= 3)
        #expect(errors.allSatisfy { $0 < 0.05 }, "\(errors)")
    }

    @Test("what counts without a total is measured against the last build's count")
    func units() {
        func play(
            _ past: BuildHistory,
            _ count: Int,
            _ seen: (Int, Estimate) -> Void = { _, _ in }
        ) -> BuildHistory {
            var pace = BuildPace(Self.plan, stages: { _ in [] }, past: past)
            pace.note(.step(StepChange(state: .running, title: "Make")), step: Self.step, at: 0)
            for index in 1...count {
                let progress = Progress(stage: nil, current: Double(index), total: nil, unit: "files")
                pace.note(.progress(progress), step: Self.step, at: Double(index))
                seen(index, pace.estimate(at: Double(index)))
            }
            pace.note(.step(StepChange(state: .succeeded, title: "Make")), step: Self.step, at: Double(count))
            return pace.learned(total: Double(count))
        }
        let past = play(BuildHistory(), 100)
        _ = play(past, 100) { index, estimate in
            if index < 97 { #expect(abs(estimate.percent - index) <= 2, "\(index): \(estimate.percent)") }
        }
    }

    @Test("when it will be done is a range once there is something to say, and longer than usual is said")
    func remaining() throws {
        var first: Double?
        _ = play { now, estimate in
            if estimate.remaining != nil, first == nil { first = now }
            #expect(!estimate.isOverdue)
        }
        #expect(try #require(first) >= 15)
        var past = BuildHistory()
        for _ in 0..<3 { past = play(past: past) }
        var overdue = false
        _ = play(past: past, configure: 60) { now, estimate in
            if now < 40 { #expect(!estimate.isOverdue) }
            overdue = estimate.isOverdue
            if abs(now - 10) < 0.05, let left = estimate.remaining { #expect(left.contains(41)) }
        }
        #expect(overdue)
    }

    @Test("a build without an end teaches nothing, and what is remembered is bounded")
    func bounded() {
        var past = BuildHistory()
        for _ in 0..<20 { past = play(past: past) }
        #expect(past.totals.count == BuildHistory.most)
        #expect(past.stages.allSatisfy { $0.durations.count == BuildHistory.most })
        var pace = BuildPace(Self.plan, stages: { _ in [] }, past: BuildHistory())
        for number in 0..<1_000 {
            pace.note(
                .stage(StageChange(stage: StageID(rawValue: "s\(number)"), op: .start)),
                step: Self.step,
                at: 1
            )
        }
        pace.note(.step(StepChange(state: .succeeded, title: "")), step: Self.step, at: 2)
        #expect(pace.learned(total: 2).stages.count <= BuildHistory.mostStages)
    }
}

@Suite("Details of failures")
struct FailureDetailsTests {
    @Test("a text is clipped by its bytes, at a scalar, whatever characters it is made of")
    func clipped() {
        let crowded = "e" + String(repeating: "\u{301}", count: 10_000)
        for text in [
            crowded, String(repeating: "ä", count: 500), String(repeating: "😀", count: 200),
            String(repeating: "x", count: 301),
        ] {
            let clipped = FailureDetails.clipped(text)
            #expect(clipped.utf8.count <= FailureDetails.longestLine && clipped.utf8.count > 290)
            #expect(clipped.hasSuffix("…") && !clipped.unicodeScalars.contains("\u{FFFD}"))
            #expect(text.unicodeScalars.starts(with: clipped.unicodeScalars.dropLast()))
        }
        #expect(FailureDetails.clipped("short") == "short")
    }
}

extension BuildPaceTests {
    @Test("a stage that is skipped is no part of the work")
    func skipped() {
        var pace = BuildPace(
            Self.plan,
            stages: { _ in [(Self.configure, 9), (Self.compile, 1)] },
            past: BuildHistory()
        )
        pace.note(.step(StepChange(state: .running, title: "")), step: Self.step, at: 0)
        pace.note(.stage(StageChange(stage: Self.configure, op: .skip)), step: Self.step, at: 0)
        pace.note(.stage(StageChange(stage: Self.compile, op: .start)), step: Self.step, at: 0)
        #expect(pace.estimate(at: 0).percent == 0)
        pace.note(.progress(Progress(stage: Self.compile, current: 1, total: 2)), step: Self.step, at: 1)
        #expect(pace.estimate(at: 1).percent == 50)
    }
}

extension BuildPaceTests {
    @Test("a stage that comes after a later one is no more done than others that begin")
    func late() {
        var pace = BuildPace(
            Self.plan,
            stages: { _ in [(Self.configure, 9), (Self.compile, 1)] },
            past: BuildHistory()
        )
        pace.note(.step(StepChange(state: .running, title: "")), step: Self.step, at: 0)
        pace.note(.stage(StageChange(stage: Self.compile, op: .start)), step: Self.step, at: 0)
        pace.note(.stage(StageChange(stage: Self.configure, op: .start)), step: Self.step, at: 0)
        #expect(pace.estimate(at: 0).percent == 0)
    }
}
