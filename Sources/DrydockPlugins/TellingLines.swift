// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers
import DrydockProtocol

/// The lines of a command's output that tell most about its failure: those at the first error; without one the last.
struct TellingLines {
    /// Of the lines before the error was understood: a stack of calls is, at its end.
    private static let before = 12

    private var lines: [String] = []
    /// Where the next line goes, once `lines` is full.
    private var next = 0
    private var isMarked = false

    /// What was added last is an error's line.
    mutating func mark() {
        guard !isMarked else { return }
        lines = Array(inOrder.suffix(Self.before))
        next = 0
        isMarked = true
    }

    /// Adds a line, masked.
    mutating func add(_ line: String) {
        guard !line.isEmpty else { return }
        if lines.count < FailureDetails.mostLines { return lines.append(line) }
        guard !isMarked else { return }
        lines[next] = line
        next = (next + 1) % lines.count
    }

    private var inOrder: [String] { Array(lines[next...] + lines[..<next]) }

    /// The lines, clipped and without terminal escapes; masked again, for what stood between two halves of a secret is gone.
    func clipped(_ secrets: Masker) -> [String] {
        inOrder.map { FailureDetails.clipped(secrets.masked(AnsiText.stripped($0))) }
            .filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
