// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// Reads the reports that test runners write in the form of JUnit: `testsuite`, `testcase`, `failure`, `error`, `skipped`.
///
/// Counts are those of the cases, not the ones that a suite claims. Text is the project's: for whoever reads, masked by the caller.
package struct TestReport {
    private var results = TestResults()
    /// Elements that are open, outermost first.
    private var open: [String] = []
    private var suites: [Int?] = []
    private var test: Case?
    private let placed: (String) -> String?
    private let masked: (String) -> String
    private let isStopped: () -> Bool

    private static let deepest = 64

    private struct Case {
        var name: String
        var seconds = 0.0
        var isSkipped = false
        var file: String?
        var line: Int?
        var failure: FailedTest?
        var text = ""
    }

    private init(
        placed: @escaping (String) -> String?,
        masked: @escaping (String) -> String,
        isStopped: @escaping () -> Bool
    ) {
        self.placed = placed
        self.isStopped = isStopped
        self.masked = masked
    }

    /// What one or more reports say; nil where none is a report, or whole.
    ///
    /// `placed`: the file of the source that a name means, if it means one. `masked`: takes secrets out of a text. `isStopped`:
    /// whether nobody wants the answer any more, which is then nil.
    package static func results(
        of documents: [[UInt8]],
        placed: @escaping (String) -> String?,
        masked: @escaping (String) -> String = { $0 },
        isStopped: @escaping () -> Bool = { false }
    ) -> TestResults? {
        var all: TestResults?
        for document in documents {
            var report = TestReport(placed: placed, masked: masked, isStopped: isStopped)
            guard let found = report.read(document) else {
                if isStopped() { return nil }
                continue
            }
            all = all.map { $0.adding(found) } ?? found
        }
        return all
    }

    private mutating func read(_ document: [UInt8]) -> TestResults? {
        var scanner = MarkupScanner(document)
        var isReport = false
        do throws(MarkupScanner.Problem) {
            var pieces = 0
            while let piece = try scanner.next() {
                pieces += 1
                // Asking costs more than a piece does.
                if pieces.isMultiple(of: 256), isStopped() { return nil }
                switch piece {
                case .start(let name, let attributes, let isEmpty):
                    if open.isEmpty {
                        guard !isReport, name == "testsuites" || name == "testsuite" else { return nil }
                        isReport = true
                    }
                    guard open.count < Self.deepest else { return nil }
                    begin(name, attributes)
                    open.append(name)
                    if isEmpty { end(name) }
                case .end(let name):
                    guard open.last == name else { return nil }
                    end(name)
                case .text(let text):
                    if let last = open.last, test?.failure != nil, Self.isFailure(last) { test?.text += text }
                }
            }
        } catch {
            return nil
        }
        return isReport && open.isEmpty ? results : nil
    }

    private static func isFailure(_ name: String) -> Bool { name == "failure" || name == "error" }

    private mutating func begin(_ name: String, _ attributes: [String: String]) {
        switch name {
        case "testsuite":
            let isShown = results.suites.count < TestResults.mostSuites
            suites.append(isShown ? results.suites.count : nil)
            if isShown { results.suites.append(TestResults.Suite(name: text(attributes["name"]) ?? "tests")) }
        case "testcase":
            let names = [attributes["classname"], attributes["name"]].compactMap(\.self)
            var begun = Case(
                name: names.joined(separator: "."),
                seconds: Self.seconds(attributes["time"])
            )
            begun.file = attributes["file"]
            begun.line = attributes["line"].flatMap { Int($0) }.flatMap(Diagnostic.place)
            test = begun
        case "skipped", "disabled": test?.isSkipped = true
        case "failure", "error":
            // Of several the first.
            guard let open = test, open.failure == nil else { return }
            let message = text(attributes["message"]) ?? text(attributes["type"])
            // Looked up for those that failed alone: each is a question to the file system.
            let file = results.failures.count < TestResults.mostFailures ? open.file.flatMap(placed) : nil
            let line = file == nil ? nil : open.line
            let failed = FailedTest(
                name: text(open.name) ?? "a test",
                message: message,
                file: file,
                line: line
            )
            test?.failure = failed
        default: break
        }
    }

    private mutating func end(_ name: String) {
        open.removeLast()
        switch name {
        case "testsuite": _ = suites.popLast()
        case "testcase": finish()
        default: break
        }
    }

    private mutating func finish() {
        guard let done = test else { return }
        test = nil
        let took = Int64(done.seconds * 1_000)
        let isSkipped = done.isSkipped && done.failure == nil
        results.count(failed: done.failure != nil, skipped: isSkipped, took, in: suites.last ?? nil)
        guard var failure = done.failure, results.failures.count < TestResults.mostFailures else { return }
        if failure.message == nil {
            failure.message = done.text.split(whereSeparator: \.isNewline).first.flatMap { text(String($0)) }
        }
        if failure.file == nil, let (file, line) = firstPlace(in: done.text) {
            failure.file = file
            failure.line = line
        }
        results.failures.append(failure)
    }

    /// One line of a name or a message, clipped.
    private func text(_ text: String?) -> String? {
        guard let text else { return nil }
        // Masked as it stood and as it is now: a line break may have stood in the middle of a secret.
        let words = masked(PlainLine.of(masked(text)))
        return words.isEmpty ? nil : FailureDetails.clipped(words)
    }

    /// The first `file:line` of a text whose file is in the source.
    private func firstPlace(in text: String) -> (String, Int)? {
        var looked = 0
        for word in text.split(whereSeparator: { $0.isWhitespace || "()[]\"'".contains($0) })
        where looked < 200 {
            let parts = word.split(separator: ":", maxSplits: 2)
            guard parts.count >= 2, let line = Int(parts[1]).flatMap(Diagnostic.place) else { continue }
            looked += 1
            if let file = placed(String(parts[0])) { return (file, line) }
        }
        return nil
    }

    private static func seconds(_ text: String?) -> Double {
        // Some write thousands apart.
        guard let text, let seconds = Double(text.replacing(",", with: "")), seconds.isFinite else {
            return 0
        }
        return min(max(0, seconds), 1e6)
    }
}

extension TestResults {
    fileprivate mutating func count(failed: Bool, skipped: Bool, _ took: Int64, in suite: Int?) {
        total += 1
        self.failed += failed ? 1 : 0
        self.skipped += skipped ? 1 : 0
        milliseconds += took
        guard let suite else { return }
        suites[suite].total += 1
        suites[suite].failed += failed ? 1 : 0
        suites[suite].skipped += skipped ? 1 : 0
        suites[suite].milliseconds += took
    }

    fileprivate func adding(_ other: TestResults) -> TestResults {
        var sum = self
        sum.total += other.total
        sum.failed += other.failed
        sum.skipped += other.skipped
        sum.milliseconds += other.milliseconds
        sum.suites = Array((suites + other.suites).prefix(Self.mostSuites))
        sum.failures = Array((failures + other.failures).prefix(Self.mostFailures))
        return sum
    }
}
