// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The newest lines of a log, oldest first, as messages of both profiles repeat them.
struct LineWindow: Sendable {
    private(set) var texts: [QuotedText] = []

    /// Whether a message now would carry as many lines as one can.
    var isFull: Bool { texts.count == Profile0Fold.window }

    mutating func add(_ text: QuotedText) {
        if isFull { texts.removeFirst() }
        texts.append(text.clipped(to: Profile0Fold.longestLine))
    }
}

/// What both profiles say in the same words.
enum WireWords {
    /// Of a build that waits, so many others come first.
    static func waiting(behind others: Int) -> String {
        "Waiting for a slot: " + (others == 0 ? "next" : "\(others) ahead") + " in the queue"
    }
}
