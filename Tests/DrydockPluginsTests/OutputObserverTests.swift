// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockPlugins

@Suite("What is read off output")
struct OutputObserverTests {
    @Test(
        "a line of nothing but escape sequences tells nothing",
        arguments: [
            "\u{1B}[0m", "\u{1B}[K", "\u{1B}", "\u{1B}[", "\u{1B}]0;title\u{7}", "\u{1B}[1m\u{1B}[0m",
            "\u{1B}[mx",
        ]
    )
    func escapes(line: String) {
        var observer = OutputObserver()
        for isOverwritten in [false, true] {
            let seen = Array(line.utf8).withUnsafeBytes { observer.observe($0, isOverwritten: isOverwritten) }
            #expect(seen == nil)
        }
    }

    /// Every access to the bytes is checked in this build: one outside of a line ends the test's process.
    @Test("whatever is printed, nothing is read outside of it")
    func anything() {
        var numbers = SystemRandomNumberGenerator()
        let words = [
            "\u{1B}", "\u{1B}[", "\u{1B}]", "m", "K", ";", "[", "]", "(", ")", "/", "%", ":", " ", "\t", "0",
            "1", "100", "99999999999",
            "a", "a.c", "error: ", "warning: ", "fatal error: ", "Traceback (most recent call last):",
            "  File \"", "\", line ", "\u{FF}",
        ]
        var observer = OutputObserver()
        for _ in 0..<50_000 {
            let count = Int.random(in: 0...8, using: &numbers)
            let line = (0..<count).flatMap { _ in Array((words.randomElement(using: &numbers) ?? "").utf8) }
            line.withUnsafeBytes { bytes in
                _ = observer.observe(bytes, isOverwritten: Bool.random(using: &numbers))
            }
        }
    }
}
