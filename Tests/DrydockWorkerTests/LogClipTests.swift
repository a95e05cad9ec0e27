// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockWorker

@Suite("the log's cap")
struct LogClipTests {
    private func line(_ number: Int, length: Int = 84) -> LogLine {
        let text = "\(number) "
        return LogLine(stream: .out, text: text + String(repeating: "x", count: length - text.count))
    }

    @Test("below the cap every line is kept, and nothing is held back")
    func below() {
        var clip = LogClip(cap: ByteCount(100_000))
        for number in 0..<900 {
            #expect(clip.admit(line(number), step: nil, journal: ByteCount(0)) == [.log(line(number))])
        }
        #expect(clip.flush().isEmpty)
    }

    @Test("beyond it the head stays, the last lines come at the end, and the gap says how much is missing")
    func beyond() throws {
        var clip = LogClip(cap: ByteCount(160_000))
        var kept: [Event] = []
        for number in 0..<10_000 { kept += clip.admit(line(number), step: nil, journal: ByteCount(0)) }
        let notices = kept.filter { if case .notice = $0 { true } else { false } }
        #expect(notices.count == 1)
        let head = kept.count - 1
        #expect(head == 1_500)  // 15/16 of the cap, at 84 bytes and 16 of overhead a line

        let flushed = clip.flush().map(\.0)
        guard case .gap(let gap) = try #require(flushed.first) else {
            Issue.record("the gap comes first: \(flushed[0])")
            return
        }
        #expect(head + gap.lines + flushed.count - 1 == 10_000)
        #expect(flushed.last == .log(line(9_999)))
        #expect(clip.flush().isEmpty)
    }

    @Test("the tails of all steps together stay within the cap")
    func manySteps() {
        var clip = LogClip(cap: ByteCount(160_000))
        var bytes = 0
        for _ in 0..<50 {
            var kept: [Event] = []
            for number in 0..<3_000 { kept += clip.admit(line(number), step: nil, journal: ByteCount(0)) }
            kept += clip.flush().map(\.0)
            for case .log(let line) in kept { bytes += line.text.utf8.count }
        }
        #expect(bytes <= 160_000)
    }

    @Test("a line larger than everything is counted, not kept")
    func huge() {
        var clip = LogClip(cap: ByteCount(1_000))
        _ = clip.admit(line(1, length: 5_000), step: nil, journal: ByteCount(0))
        guard case .gap(let gap)? = clip.flush().first?.0 else {
            Issue.record("no gap")
            return
        }
        #expect(gap.lines == 1)
    }

    @Test("a journal that grows to four times the cap by short lines is clipped too, and says why")
    func shortLines() {
        var clip = LogClip(cap: ByteCount(1_000_000))
        let empty = LogLine(stream: .out, text: "")
        #expect(clip.admit(empty, step: nil, journal: ByteCount(3_999_999)) == [.log(empty)])
        guard case .notice(_, let text)? = clip.admit(empty, step: nil, journal: ByteCount(4_000_000)).first
        else {
            Issue.record("nothing is said")
            return
        }
        #expect(text.contains("short lines"))
        // What is held back is bounded by what it will take up, not by its text.
        for _ in 0..<1_000_000 { _ = clip.admit(empty, step: nil, journal: ByteCount(4_000_000)) }
        #expect(clip.flush().count < 1_000)
    }
}

extension LogClip {
    /// The events to append for `line`, as the journal's sink does it.
    fileprivate mutating func admit(_ line: LogLine, step: StepID?, journal: ByteCount) -> [Event] {
        takes(line, journal: journal) ? [.log(line)] : hold(line, step: step)
    }
}
