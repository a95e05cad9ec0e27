// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What is known of a build at one place in its journal: the fold behind wire profile 1.
///
/// It takes raw lines in order. A log line, nine records in ten, costs a look at its head and the keeping of its text.
package struct BuildPicture: Sendable {
    /// A step, as far as it has come.
    struct Step: Sendable {
        let id: StepID
        var title: String
        var state: StepState
        var duration: Duration?
    }

    /// A stage that has begun or was skipped.
    struct Stage: Sendable {
        enum State: String, Sendable {
            case running, ok, failed, skipped
        }

        let step: StepID?
        let id: StageID
        var title: String
        var state: State
        var progress: Progress?
    }

    /// Stages that are kept of one attempt; what comes beyond is told by its records alone.
    static let mostStages = 2_000

    package let build: BuildID
    let project: ProjectName
    let title: String
    /// The last record that was taken; nil = none.
    package private(set) var cursor: Cursor?
    /// How often something changed that a message of state tells.
    package private(set) var revision = 0
    private(set) var state = BuildState.queued
    /// Builds that start before this one, while it waits.
    private(set) var position: Int?
    private(set) var estimate: Estimate?
    private(set) var steps: [Step] = []
    private(set) var stages: [Stage] = []
    private(set) var lines = LineWindow()
    private(set) var artifacts = 0
    package private(set) var preview: PreviewReady?
    private(set) var usage: Usage?
    /// What is said of it now.
    private(set) var headline: String
    /// How it ended.
    package private(set) var ending: BuildEnding?

    /// A build of which nothing was read yet.
    package init(build: BuildID, project: ProjectName, title: String) {
        self.build = build
        self.project = project
        self.title = title
        headline = "Build accepted"
    }

    /// Whether its end is known.
    package var hasEnded: Bool { ending != nil }

    // MARK: Changes

    /// Takes one line of the journal; what can not be read counts for its number alone.
    package mutating func apply(_ line: [UInt8], of attempt: AttemptID, seq: UInt64) {
        if attempt != cursor?.attempt { begin() }
        cursor = Cursor(attempt: attempt, seq: seq)
        if let text = LogRecordScanner.text(of: line) { return lines.add(text) }
        // A kind from the future, or damage that the reader passed on: the record itself goes to the viewers as it is.
        guard let record = (try? JournalCodec.decode(line)) ?? nil else { return }
        apply(record)
    }

    /// The build waits, so many others come first.
    package mutating func wait(behind others: Int) {
        guard position != others, ending == nil else { return }
        position = others
        headline = WireWords.waiting(behind: others)
        revision += 1
    }

    /// Ends the build, unless it has ended.
    package mutating func end(_ outcome: Outcome, _ duration: Duration) {
        guard ending == nil else { return }
        ending = BuildEnding(outcome: outcome, duration: duration)
        (state, position) = (outcome.state, nil)
        revision += 1
    }

    /// Another attempt begins with nothing of the one before but its lines.
    private mutating func begin() {
        (steps, stages, estimate, usage, preview, artifacts) = ([], [], nil, nil, nil, 0)
        (state, position) = (.preparing, nil)
        revision += 1
    }

    private mutating func apply(_ record: JournalRecord) {
        switch record.event {
        case .log(let line): return lines.add(QuotedText(line.text))
        case .artifact: artifacts += 1
        case .preview(let ready): preview = ready
        case .usage(let usage): add(usage)
        case .estimate(let estimate): self.estimate = estimate
        case .step(let change): note(change, of: record.step)
        case .stage(let change): note(change, of: record.step)
        case .progress(let progress): note(progress, of: record.step)
        case .attempt(let number, let reason): headline = "Attempt \(number): \(reason)"
        case .started: headline = "Build started"
        case .willFail(let reason): headline = "Build will fail: \(reason)"
        case .cancelRequested: headline = "Cancelling"
        case .finished: state = .finishing
        case .queued, .plan, .diag, .tests, .output, .notice, .violation, .network, .gap: return
        }
        revision += 1
    }

    private mutating func note(_ change: StepChange, of step: StepID?) {
        guard let step else { return }
        if change.state == .running { (headline, state) = (change.title, .running) }
        if let index = steps.firstIndex(where: { $0.id == step }) {
            steps[index].state = change.state
            steps[index].duration = change.duration
        } else {
            steps.append(
                Step(id: step, title: change.title, state: change.state, duration: change.duration)
            )
        }
    }

    private mutating func note(_ change: StageChange, of step: StepID?) {
        let state: Stage.State =
            switch change.op {
            case .start: .running
            case .skip: .skipped
            case .end: change.status == .failed ? .failed : .ok
            }
        if change.op == .start { headline = change.title ?? change.stage.rawValue }
        if let index = index(of: change.stage, step) {
            stages[index].state = state
        } else if stages.count < Self.mostStages {
            let title = change.title ?? change.stage.rawValue
            stages.append(Stage(step: step, id: change.stage, title: title, state: state))
        }
    }

    private mutating func note(_ progress: Progress, of step: StepID?) {
        if let text = progress.text, !text.isEmpty { headline = text }
        if let stage = progress.stage, let index = index(of: stage, step) {
            stages[index].progress = progress
        }
    }

    /// From the end: what is told of is mostly what began last.
    private func index(of stage: StageID, _ step: StepID?) -> Int? {
        stages.lastIndex { $0.id == stage && $0.step == step }
    }

    private mutating func add(_ more: Usage) {
        guard var sum = usage else {
            usage = more
            return
        }
        sum.wall += more.wall
        sum.cpu = Self.joined(sum.cpu, more.cpu, +)
        sum.peakMemory = Self.joined(sum.peakMemory, more.peakMemory, max)
        sum.peakProcesses = Self.joined(sum.peakProcesses, more.peakProcesses, max)
        usage = sum
    }

    private static func joined<Value>(
        _ left: Value?,
        _ right: Value?,
        _ join: (Value, Value) -> Value
    ) -> Value? {
        guard let left, let right else { return left ?? right }
        return join(left, right)
    }
}

/// How a build ended, and what it took.
package struct BuildEnding: Sendable, Hashable {
    package let outcome: Outcome
    package let duration: Duration
}
