// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What is known about a failure beside its one sentence: what a person would look for first.
///
/// At most about 2 000 tokens. Everything in it but `status`, `blocked` and the failure's own hint is text of the project
/// or its tools: whoever hands it on says so.
package struct FailureDetails: Codable, Hashable, Sendable {
    /// The step that failed.
    package var step: StepID?
    /// What it was doing.
    package var stage: StageID?
    /// The command that did not succeed, clipped.
    package var command: String?
    /// How that ended, in words.
    package var status: String?
    /// The first error, as an observer read it or a driver declared it; never advised.
    package var cause: Diagnostic?
    /// The place in the source.
    package var source: SourceExcerpt?
    /// Lines of output from the first error on; where there is none, the last ones.
    package var output: [String]
    /// What the sandbox did not let through.
    package var blocked: [BlockedAccess]
    /// What the step's tests came to: the counts, and the first few that failed.
    package var tests: TestResults?
    /// What is different since the last build of the project that succeeded; of a build's failure alone.
    package var changes: SourceChanges?

    package static let longestLine = 300
    package static let mostLines = 20
    package static let longestCommand = 1_000

    package init() {
        output = []
        blocked = []
    }

    /// The text with at most so many bytes of UTF-8: a single character may have any number of them.
    package static func clipped(_ line: String, to limit: Int = longestLine) -> String {
        guard line.utf8.count > limit else { return line }
        var end = line.utf8.index(line.utf8.startIndex, offsetBy: limit - 3)
        while end > line.startIndex, end.samePosition(in: line.unicodeScalars) == nil {
            end = line.utf8.index(before: end)
        }
        return String(line[..<end]) + "…"
    }
}

/// Some lines of a file of the source, as it was before anything ran.
package struct SourceExcerpt: Codable, Hashable, Sendable {
    package var file: String
    /// The number of the first of `lines`, from 1.
    package var first: Int
    /// At most five, each clipped.
    package var lines: [String]
    /// The number of the line that is meant.
    package var line: Int

    package init(file: String, first: Int, lines: [String], line: Int) {
        self.file = file
        self.first = first
        self.lines = lines
        self.line = line
    }

    /// Each line with its number, the one that is meant marked: `> 10 | text`.
    package var words: [String] {
        let width = "\(first + lines.count)".count
        return lines.enumerated().map { index, text in
            let number = first + index
            let label = String(repeating: " ", count: width - "\(number)".count) + "\(number)"
            return "\(number == line ? ">" : " ") \(label) | \(text)"
        }
    }
}

/// Something that the sandbox did not let through.
package struct BlockedAccess: Codable, Hashable, Sendable {
    /// What was tried: `pypi.org:443`.
    package var what: String
    /// Why it was not let through.
    package var why: String
    /// The line of `drydock.yaml` that asks for it, where there is one.
    package var allow: String?

    package init(what: String, why: String, allow: String? = nil) {
        self.what = what
        self.why = why
        self.allow = allow
    }
}
