// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockProtocol

@Suite("Profile 0 as a fold")
struct Profile0FoldTests {
    private func fold() -> Profile0Fold {
        Profile0Fold(build: BuildID(rawValue: "b_1"), project: ProjectName(rawValue: "p"), title: "t")
    }

    private let started = Profile0Message.started(
        build: BuildID(rawValue: "b_1"),
        project: ProjectName(rawValue: "p"),
        title: "t"
    )

    private func line(_ text: String) -> Event { .log(LogLine(stream: .out, text: text)) }

    @Test(
        "whatever the batches, the logs arrays carry every line in order",
        arguments: [1, 3, 19, 20, 21, 64, 1_000]
    )
    func wholeLog(batch: Int) {
        var fold = fold()
        var messages = fold.begin()
        for number in 0..<1_000 {
            messages += fold.apply(line("line \(number)"))
            if number % batch == batch - 1 { messages += fold.flush() }
        }
        messages += fold.end(.succeeded, .seconds(1))
        var seen: [String] = []
        for case .progress(_, let logs) in messages {
            #expect(logs.count <= 20)
            seen += logs.map(\.text).filter { !seen.suffix(40).contains($0) }
        }
        #expect(seen == (0..<1_000).map { "line \($0)" })
        #expect(messages.first == started)
        #expect(messages.filter(\.isTerminal).count == 1 && messages.last?.isTerminal == true)
    }

    @Test("a stage gives its title to a message of its own")
    func stages() {
        var fold = fold()
        _ = fold.begin()
        let change = StageChange(
            stage: StageID(rawValue: "deps"),
            op: .start,
            title: "Installing dependencies..."
        )
        #expect(fold.apply(line("one")) == [])
        #expect(
            fold.apply(.stage(change)) == [
                .progress(message: "one", logs: ["one"]),
                .progress(message: "Installing dependencies...", logs: ["one"]),
            ]
        )
    }

    @Test("a notice is a line of the log: who only sees this profile is told too")
    func notices() {
        var fold = fold()
        _ = fold.begin()
        let notice = Event.notice(title: "Nothing was made", markdown: "no\nartifacts")
        #expect(fold.apply(notice) == [])
        #expect(
            fold.flush() == [
                .progress(
                    message: "Nothing was made: no artifacts",
                    logs: ["Nothing was made: no artifacts"]
                )
            ]
        )
    }

    @Test("nothing follows the terminal message")
    func silence() {
        var fold = fold()
        _ = fold.apply(.finished(Finished(outcome: .succeeded, duration: .seconds(1))))
        #expect(fold.hasEnded)
        #expect(fold.apply(line("late")) + fold.flush() + fold.end(.succeeded, .zero) == [])
        #expect(fold.current() == [.completed(duration: .seconds(1))])
    }

    @Test("an attempt that errored ends the build only when no other follows")
    func retries() {
        let lost = Failure(.lost, .platform, "the worker was lost")
        let finished = Event.finished(Finished(outcome: Outcome(lost), duration: .seconds(2)))
        var fold = fold()
        #expect(fold.apply(finished) == [started])
        #expect(!fold.hasEnded)
        _ = fold.apply(.started(Started(number: 2, level: .full, missing: [])))
        #expect(fold.settle() == [], "the second attempt runs")
        _ = fold.apply(finished)
        #expect(fold.settle() == [.failed(error: "Build failed: the worker was lost")])
    }

    @Test("a joiner gets the start and one progress")
    func joining() {
        var fold = fold()
        #expect(fold.current() == [])
        _ = fold.apply(line("a"))
        #expect(fold.current() == [started, .progress(message: "a", logs: ["a"])])
    }

    @Test("a long line is cut at a character")
    func clipping() {
        var fold = fold()
        _ = fold.apply(line(String(repeating: "ä", count: 5_000)))
        guard case .progress(_, let logs) = fold.flush().first, let text = logs.first?.text else {
            Issue.record("no progress")
            return
        }
        #expect(text.utf8.count <= 4 << 10 && text.hasSuffix("ä…"))
    }

    @Test("messages have the contract's shape")
    func shapes() throws {
        let envelope = Envelope(
            id: "i",
            at: Timestamp(milliseconds: 1_766_000_000_123),
            session: SessionID(rawValue: "s")
        )
        func text(_ message: Profile0Message) -> String {
            String(decoding: message.encoded(in: envelope), as: UTF8.self)
        }
        let tail = #","timestamp":1766000000.123,"session_id":"s"}"#
        #expect(
            text(.completed(duration: .milliseconds(45_234)))
                == #"{"id":"i","type":"build_completed","data":{"status":"success","build_time":45.234,"#
                + #""message":"Build completed successfully in 45.2s"}"# + tail
        )
        #expect(
            text(.failed(error: "Build failed: \"x\""))
                == #"{"id":"i","type":"build_error","data":{"status":"error","error":"Build failed: \"x\""}"#
                + tail
        )
        #expect(
            text(.progress(message: "m", logs: ["a", "b"]))
                == #"{"id":"i","type":"build_progress","data":{"type":"build_progress","message":"m","logs":["a","b"]}"#
                + tail
        )
    }

    @Test("envelope ids are UUIDs of version 4")
    func ids() throws {
        let id = Envelope.fresh(at: Timestamp(milliseconds: 0), session: SessionID(rawValue: "s")).id
        let pattern = #/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/#
        #expect(try pattern.wholeMatch(in: id) != nil, "\(id)")
    }
}
