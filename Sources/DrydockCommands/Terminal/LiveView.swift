// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

/// For a terminal: the log scrolls, and the last line always says where the build is.
struct LiveView: TerminalView, Sendable {
    private let write: @Sendable (String) -> Void
    private let width: @Sendable () -> Int
    private let isColoured: Bool
    private var startedAt: Timestamp?
    private var now: Timestamp?
    private var step = ""
    private var stage = ""
    private var titles: [StageID: String] = [:]
    private var progress: Progress?
    private var estimate: Estimate?
    private var isDrawn = false

    /// `write` gets text without a final newline; `width` is asked before each drawing.
    init(
        write: @escaping @Sendable (String) -> Void,
        width: @escaping @Sendable () -> Int,
        isColoured: Bool
    ) {
        self.write = write
        self.isColoured = isColoured
        self.width = width
    }

    mutating func show(_ record: JournalRecord) {
        // The line it was read off stands in the log already.
        if case .diag = record.event, record.via == .observed { return }
        now = record.at
        switch record.event {
        case .started(let started):
            startedAt = record.at
            line(dim("build \(record.build) · sandbox \(started.level.rawValue)"))
            for missing in started.missing { line(dim("  missing: \(missing)")) }
        case .plan(let planned): line(dim(TerminalText.plain("plan: \(planned.why)")))
        case .step(let change): showStep(change)
        case .stage(let change): showStage(change)
        case .progress(let progress): self.progress = progress
        case .estimate(let estimate): self.estimate = estimate
        case .log(let log):
            line(isColoured ? TerminalText.sanitised(log.text) + "\u{1B}[0m" : TerminalText.plain(log.text))
        default: showRest(record.event)
        }
        draw()
    }

    mutating func tick(at now: Timestamp) {
        self.now = now
        draw()
    }

    mutating func close() { erase() }

    private mutating func showStep(_ change: StepChange) {
        if change.state == .running {
            step = change.title
            stage = ""
            progress = nil
            return
        }
        guard change.state.isTerminal else { return }
        let time = change.duration.map { " " + dim(BuildWords.duration($0)) } ?? ""
        let mark = change.state.letsOthersGoOn ? colour(32, "✓") : colour(31, "✗")
        line("\(mark) \(TerminalText.plain(change.title))\(time)")
    }

    private mutating func showStage(_ change: StageChange) {
        if let title = change.title { titles[change.stage] = title }
        guard change.op == .start else { return }
        stage = titles[change.stage] ?? change.stage.rawValue
        progress = nil
        line(colour(36, "▸ \(TerminalText.plain(stage))"))
    }

    private mutating func showRest(_ event: Event) {
        switch event {
        case .diag(let diagnostic):
            line(
                colour(
                    diagnostic.severity == .error ? 31 : 33,
                    TerminalText.plain(diagnostic.words)
                )
            )
        case .tests(let tests): line(colour(tests.failed > 0 ? 31 : 32, TerminalText.plain(tests.words)))
        case .artifact(let artifact):
            line(dim("artifact \(TerminalText.plain(artifact.path)) (\(artifact.size))"))
        case .notice(let title, let markdown): line(TerminalText.plain("\(title): \(markdown)"))
        case .willFail(let reason): line(colour(31, TerminalText.plain("will fail: \(reason)")))
        case .violation(let violation):
            line(
                colour(
                    33,
                    TerminalText.plain("stopped by the sandbox: \(violation.words)")
                )
            )
        case .network(let use):
            let text = TerminalText.plain(BuildWords.network(use))
            line(use.verdict.isAllowed ? dim(text) : colour(33, text))
        case .gap(let gap): line(dim(TerminalText.plain("[\(gap.lines) lines not kept: \(gap.reason)]")))
        case .finished(let finished):
            for text in BuildWords.ending(finished) {
                line(colour(finished.outcome.failure == nil ? 32 : 31, TerminalText.plain(text)))
            }
            step = ""
        default: break
        }
    }

    private mutating func draw() {
        erase()
        guard !step.isEmpty else { return }
        var text = TerminalText.plain(stage.isEmpty ? step : "\(step) · \(stage)")
        if let progress, let total = progress.total, total > 0 {
            text += " \(Int(progress.current))/\(Int(total))"
        }
        if let estimate { text = "\(BuildWords.bar(estimate.percent)) \(text)" }
        if let startedAt, let now { text += " · \(BuildWords.duration(now.since(startedAt)))" }
        if let estimate, let left = BuildWords.remaining(estimate) { text += " · \(left)" }
        write(dim(String(text.prefix(max(10, width() - 1)))))
        isDrawn = true
    }

    private mutating func erase() {
        if isDrawn { write("\r\u{1B}[2K") }
        isDrawn = false
    }

    private mutating func line(_ text: String) {
        erase()
        write(text + "\n")
    }

    private func colour(_ code: Int, _ text: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private func dim(_ text: String) -> String { colour(2, text) }
}
