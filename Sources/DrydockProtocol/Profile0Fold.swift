// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a viewer of wire profile 0 sees of one build.
///
/// A slow build's lines leave one by one, at the end of each batch, and a fast one's twenty at a time. Whatever
/// the batches were, the `logs` arrays together carry every line. A line's text is a slice of the journal's.
package struct Profile0Fold: WireProfile {
    /// Most lines in one message, and most new lines without one.
    package static let window = 20
    /// Longest line, in bytes of UTF-8; what is over is cut, at a character.
    package static let longestLine = 4 << 10

    /// Where the build is, as far as messages go.
    private enum Phase {
        case notStarted
        case open
        /// The attempt ended as `errored`: a new attempt may follow, or `settle`.
        case openAfter(Outcome, Duration)
        case ended(Profile0Message)
    }

    private let build: BuildID
    private let project: ProjectName
    private let title: QuotedText
    private var phase = Phase.notStarted
    /// The last lines, oldest first.
    private var lines = LineWindow()
    /// Lines that no message carried yet.
    private var fresh = 0
    /// The text of the next message where no line came after it.
    private var headline: QuotedText?
    /// The last message's text.
    private var shown = QuotedText("Build started")

    package init(build: BuildID, project: ProjectName, title: String) {
        self.build = build
        self.project = project
        self.title = QuotedText(title).clipped(to: Self.longestLine)
    }

    /// Whether a message now would carry as many lines as one can.
    package var hasWholeWindow: Bool { lines.isFull }

    /// Whether the terminal message was made.
    package var hasEnded: Bool {
        guard case .ended = phase else { return false }
        return true
    }

    /// `BUILD_STARTED`, the first time; nothing after.
    package mutating func begin() -> [Profile0Message] {
        guard case .notStarted = phase else { return [] }
        phase = .open
        return [started]
    }

    package mutating func apply(_ line: [UInt8]) throws(JournalCodecError) -> [Profile0Message] {
        if !hasEnded, let text = LogRecordScanner.text(of: line) { return begin() + add(text) }
        // nil: a kind from the future, for which profile 0 has no words either.
        guard let record = try JournalCodec.decode(line) else { return [] }
        return apply(record.event)
    }

    package mutating func apply(_ event: Event) -> [Profile0Message] {
        guard !hasEnded else { return [] }
        var messages = begin()
        switch event {
        case .log(let line): messages += add(QuotedText(line.text))
        case .notice(let title, let markdown):
            let text = "\(title): \(markdown)".split(whereSeparator: \.isNewline).joined(separator: " ")
            messages += add(QuotedText(text))
        case .gap(let gap): messages += add(QuotedText("… \(gap.lines) lines were not kept: \(gap.reason)"))
        case .stage(let change) where change.op == .start:
            messages += announce(change.title ?? change.stage.rawValue)
        case .step(let change) where change.state == .running: messages += announce(change.title)
        case .progress(let progress): note(progress.text)
        case .attempt(let number, let reason): messages += announce("Attempt \(number): \(reason)")
        case .started: phase = .open
        case .finished(let finished): messages += finish(finished.outcome, finished.duration)
        default: break
        }
        return messages
    }

    /// The build waits, so many others come first; nothing when that was said already.
    package mutating func wait(behind others: Int) -> [Profile0Message] {
        let text = QuotedText(WireWords.waiting(behind: others))
        guard !hasEnded, shown != text else { return [] }
        headline = text
        return begin() + flush()
    }

    /// What was not told yet, at the end of a batch.
    package mutating func flush() -> [Profile0Message] {
        guard fresh > 0 || headline != nil else { return [] }
        shown = newest
        headline = nil
        fresh = 0
        return [.progress(message: shown, logs: lines.texts)]
    }

    /// Ends the build: what was not told, and the terminal message; nothing when it ended before.
    package mutating func end(_ outcome: Outcome, _ duration: Duration) -> [Profile0Message] {
        guard !hasEnded else { return [] }
        let last = Self.terminal(outcome, duration)
        let messages = begin() + flush() + [last]
        phase = .ended(last)
        return messages
    }

    /// Ends a build whose last attempt `errored` and that no other attempt follows.
    package mutating func settle() -> [Profile0Message] {
        guard case .openAfter(let outcome, let duration) = phase else { return [] }
        return end(outcome, duration)
    }

    /// What a connection that joins now is sent: the start and one progress, or the end; nothing before the start.
    package func current() -> [Profile0Message] {
        switch phase {
        case .notStarted: []
        case .open, .openAfter: [started, .progress(message: newest, logs: lines.texts)]
        case .ended(let last): [last]
        }
    }

    /// What a message says now: what was announced, else the newest line that none carried, else the same as before.
    private var newest: QuotedText { headline ?? (fresh > 0 ? lines.texts.last : nil) ?? shown }

    private var started: Profile0Message { .started(build: build, project: project, title: title) }

    private mutating func add(_ text: QuotedText) -> [Profile0Message] {
        lines.add(text)
        fresh += 1
        return fresh == Self.window ? flush() : []
    }

    /// A stage of its own message, so that none passes unseen inside a batch.
    private mutating func announce(_ text: String) -> [Profile0Message] {
        let before = flush()
        headline = QuotedText(text).clipped(to: Self.longestLine)
        return before + flush()
    }

    private mutating func note(_ text: String?) {
        guard let text, !text.isEmpty else { return }
        headline = QuotedText(text).clipped(to: Self.longestLine)
    }

    private mutating func finish(_ outcome: Outcome, _ duration: Duration) -> [Profile0Message] {
        guard outcome.state == .errored else { return end(outcome, duration) }
        // An automatic retry comes before any terminal message: whether one does, the store knows.
        phase = .openAfter(outcome, duration)
        return flush()
    }

    /// The message that tells the end.
    static func terminal(_ outcome: Outcome, _ duration: Duration) -> Profile0Message {
        let why = outcome.failure?.message ?? "no reason was given"
        switch outcome.state {
        case .succeeded: return .completed(duration: duration)
        case .cancelled: return failed("Build cancelled: \(why)")
        case .superseded: return failed("Build superseded: \(why)")
        case .timedOut: return failed("Build timed out: \(why)")
        default: return failed("Build failed: \(why)")
        }
    }

    private static func failed(_ text: String) -> Profile0Message {
        .failed(error: QuotedText(text).clipped(to: longestLine))
    }
}
