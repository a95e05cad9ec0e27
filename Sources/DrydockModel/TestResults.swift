// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What the tests of a step came to, as the reports say that it left: the project's own word.
package struct TestResults: Codable, Hashable, Sendable {
    package static let mostSuites = 100
    package static let mostFailures = 50

    /// Every test, those that were skipped included.
    package var total = 0
    /// Tests that failed, or could not be run.
    package var failed = 0
    package var skipped = 0
    /// The sum of what each took.
    package var milliseconds: Int64 = 0
    /// In the order of the reports; at most `mostSuites`.
    package var suites: [Suite] = []
    /// Those that failed, in that order; at most `mostFailures`.
    package var failures: [FailedTest] = []

    private enum CodingKeys: String, CodingKey {
        case total, failed, skipped, suites, failures
        case milliseconds = "duration_ms"
    }

    /// The tests that belong together.
    package struct Suite: Codable, Hashable, Sendable {
        package var name: String
        package var total = 0
        package var failed = 0
        package var skipped = 0
        package var milliseconds: Int64 = 0

        private enum CodingKeys: String, CodingKey {
            case name, total, failed, skipped
            case milliseconds = "duration_ms"
        }

        package init(name: String) { self.name = name }
    }

    package init() {}

    /// `12 tests: 2 failed, 1 skipped`.
    package var words: String {
        let counts = [failed > 0 ? "\(failed) failed" : nil, skipped > 0 ? "\(skipped) skipped" : nil]
        let told = counts.compactMap(\.self).joined(separator: ", ")
        return "\(total) \(total == 1 ? "test" : "tests"): " + (told.isEmpty ? "all passed" : told)
    }

    /// What of it stands in a failure: the counts, and the first few that failed.
    package var summary: TestResults {
        var short = self
        short.suites = []
        short.failures = Array(failures.prefix(5))
        return short
    }
}

/// A test that failed.
package struct FailedTest: Codable, Hashable, Sendable {
    /// With the class or the file that it is in, where it has one.
    package var name: String
    package var message: String?
    /// A file of the source.
    package var file: String?
    package var line: Int?

    package init(name: String, message: String? = nil, file: String? = nil, line: Int? = nil) {
        self.name = name
        self.message = message
        self.file = file
        self.line = line
    }

    /// `test_a: assert 1 == 2`, with its place first.
    package var words: String {
        let place = file.map { $0 + (line.map { ":\($0)" } ?? "") + ": " } ?? ""
        return place + name + (message.map { ": \($0)" } ?? "")
    }
}
