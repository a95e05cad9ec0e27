// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Guesses what somebody meant to write.
package enum Spelling {
    /// The candidate that is nearest to `word`; nil where none is near enough to be meant.
    ///
    /// Near enough is a third of the longer word's letters, at least one and at most three, put in, left out, changed or
    /// swapped with their neighbour. Of equally near ones the first.
    package static func nearest(_ word: String, in candidates: some Sequence<String>) -> String? {
        let wanted = Array(word.lowercased().unicodeScalars.prefix(longestWord))
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let letters = Array(candidate.lowercased().unicodeScalars.prefix(longestWord))
            let distance = distance(wanted, letters)
            let allowed = min(3, max(1, max(wanted.count, letters.count) / 3))
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// Asks whether the nearest candidate was meant; nil where there is none.
    package static func hint(_ word: String, among candidates: some Sequence<String>) -> String? {
        nearest(word, in: candidates).map { "did you mean '\($0)'?" }
    }

    private static let longestWord = 64

    /// The optimal string alignment distance (Damerau and Levenshtein's, without editing a letter twice).
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let change = last[column] + (left[row] == right[column] ? 0 : 1)
                var cost = min(change, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
