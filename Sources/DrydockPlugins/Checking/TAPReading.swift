// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// A stream in the Test Anything Protocol, as `selftest` answers.
struct TAPReading {
    /// The tests that failed, as they stand there, with their lines.
    private(set) var failed: [(text: String, line: Int)] = []
    /// Why it is no such stream, or not all of one.
    private(set) var problem: String?

    init(_ bytes: [UInt8]) {
        var (planned, seen) = (nil as Int?, 0)
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix("Bail out!") {
                problem = "it gave up: \(text.prefix(200))"
            } else if text.hasPrefix("1.."), let count = Int(text.dropFirst(3).prefix { $0.isNumber }) {
                planned = count
            } else if Self.isTest(text, "not ok") {
                seen += 1
                // Tests that are known to fail, and say so, are none of the author's news.
                if !text.lowercased().contains("# todo") { failed.append((text, index + 1)) }
            } else if Self.isTest(text, "ok") {
                seen += 1
            }
        }
        guard problem == nil else { return }
        if let planned, planned != seen {
            problem = "it planned \(planned) tests, and told of \(seen)"
        } else if planned == nil {
            problem = "it has no plan: a line like 1..3"
        }
    }

    private static func isTest(_ line: String, _ word: String) -> Bool {
        line == word || line.hasPrefix(word + " ")
    }
}
