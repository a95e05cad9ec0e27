// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

/// One line a fact, for logs and pipes: nothing is redrawn, nothing is coloured.
struct PlainView: TerminalView, Sendable {
    private let write: @Sendable (String) -> Void
    private var titles: [StageID: String] = [:]

    init(write: @escaping @Sendable (String) -> Void) { self.write = write }

    mutating func show(_ record: JournalRecord) {
        // The line it was read off stands in the log already.
        if case .diag = record.event, record.via == .observed { return }
        let prefix = record.step.map { "\($0): " } ?? ""
        switch record.event {
        case .started(let started):
            let level = started.level.rawValue
            say("", "build \(record.build), attempt \(started.number), sandbox level \(level)")
            for missing in started.missing { say("", "  missing: \(missing)") }
        case .plan(let planned):
            say("", "plan: " + planned.plan.steps.map { "\($0.id) (\($0.plugin))" }.joined(separator: ", "))
            say("", "  because \(planned.why)")
            for clipped in planned.plan.clipped { say("", "  \(clipped)") }
        case .step(let change):
            let time = change.duration.map { " in \(BuildWords.duration($0))" } ?? ""
            say(prefix, change.state == .running ? change.title : change.state.rawValue + time)
        case .stage(let stage):
            if let title = stage.title { titles[stage.stage] = title }
            if stage.op == .start { say(prefix, "== \(titles[stage.stage] ?? stage.stage.rawValue)") }
        case .log(let line): say(record.step.map { "\($0) | " } ?? "| ", line.text)
        default: showRest(record, prefix)
        }
    }

    private func showRest(_ record: JournalRecord, _ prefix: String) {
        switch record.event {
        case .diag(let diagnostic): say(prefix, diagnostic.words)
        case .tests(let tests):
            say(prefix, tests.words)
            for test in tests.failures { say(prefix, "  \(test.words)") }
        case .artifact(let artifact): say("", "artifact: \(artifact.path) (\(artifact.size))")
        case .notice(let title, let markdown): say(prefix, "notice: \(title): \(markdown)")
        case .willFail(let reason): say(prefix, "will fail: \(reason)")
        case .violation(let violation):
            say(prefix, "stopped by the sandbox: \(violation.words)")
        case .network(let use): say(prefix, BuildWords.network(use))
        case .gap(let gap): say(prefix, "[\(gap.lines) lines, \(gap.bytes) not kept: \(gap.reason)]")
        case .cancelRequested(let by, let reason): say("", "cancel requested by \(by): \(reason)")
        case .finished(let finished): for line in BuildWords.ending(finished) { say("", line) }
        default: break
        }
    }

    private func say(_ prefix: String, _ text: String) { write(prefix + TerminalText.plain(text)) }
}
