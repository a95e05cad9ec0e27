// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DequeModule
internal import DrydockModel

/// Decides which log lines of an attempt are kept: the head up to a cap, then only the newest few, with the gap told.
///
/// Two things are bounded: the text of the log, and what the journal takes up on the disk, which a flood of empty lines
/// makes many times its text.
struct LogClip {
    /// How many bytes of journal there may be for each byte of text that is allowed.
    static let journalFactor: Int64 = 4

    /// Bytes of journal from which on no line is kept but the newest few.
    private let journalCap: Int64
    /// Bytes that tails may still have: those of all steps together.
    private var tailCap: Int
    private var headLeft: Int
    private var isClipping = false
    private var tail: Deque<(LogLine, StepID?)> = []
    private var tailBytes = 0
    private var lostLines = 0
    private var lostBytes = 0

    /// Keeps `cap` bytes of text in all: the last 1/16 of it, at most 1 MiB, is kept for the tail.
    init(cap: ByteCount) {
        let bytes = Int(clamping: cap.bytes)
        tailCap = min(bytes / 16, 1 << 20)
        headLeft = bytes - tailCap
        journalCap = cap.bytes > .max / Self.journalFactor ? .max : cap.bytes * Self.journalFactor
    }

    /// What a line costs beside its text, so that empty lines are not free.
    private static let overhead = 16
    /// What a line of the tail takes up beside its text once it is a record.
    private static let record = 160

    /// About what a line takes up in the journal.
    static func cost(of line: LogLine) -> Int64 { Int64(line.text.utf8.count + record) }

    /// Whether the line is kept as it is, which counts it; else it is to be held.
    ///
    /// `journal`: bytes that the journal takes up so far.
    mutating func takes(_ line: LogLine, journal: ByteCount) -> Bool {
        let cost = line.text.utf8.count + Self.overhead
        guard !isClipping, cost <= headLeft, journal.bytes < journalCap else { return false }
        headLeft -= cost
        return true
    }

    /// The events to append for a line that is not kept as it is: the news that clipping began, or nothing.
    mutating func hold(_ line: LogLine, step: StepID?) -> [Event] {
        let cost = line.text.utf8.count + Self.record
        let isTextOver = line.text.utf8.count + Self.overhead > headLeft
        let wasClipping = isClipping
        isClipping = true
        tail.append((line, step))
        tailBytes += cost
        while tailBytes > tailCap, let first = tail.popFirst() {
            let lost = first.0.text.utf8.count
            tailBytes -= lost + Self.record
            lostLines += 1
            lostBytes += lost
        }
        guard !wasClipping else { return [] }
        let what =
            isTextOver
            ? "The log reached its limit"
            : "The log's records reached \(Self.journalFactor) times the limit of its text (many short lines)"
        let text = what + "; from here on only its last lines are kept, until the step ends."
        return [.notice(title: "Log clipped", markdown: text)]
    }

    /// What was held back, in order: the gap, then the tail.
    ///
    /// Called when a step ends.
    mutating func flush() -> [(Event, StepID?)] {
        guard isClipping else { return [] }
        var events: [(Event, StepID?)] = []
        if lostLines > 0 {
            let gap = Gap(reason: "log limit", lines: lostLines, bytes: ByteCount(Int64(lostBytes)))
            events.append((.gap(gap), tail.first?.1))
        }
        events += tail.map { (.log($0.0), $0.1) }
        tailCap -= tailBytes
        tail.removeAll(keepingCapacity: false)
        (tailBytes, lostLines, lostBytes) = (0, 0, 0)
        return events
    }
}
