// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Finds the place of a key that stands twice in one mapping, for a message: by its text, in block style by its column too.
struct YAMLKeySearch {
    let key: String
    /// Of the first one, both from 1.
    let line: Int
    let column: Int

    /// The line of the next key of that name; nil when it is written in a way that is not found.
    func lineOfNext(in text: String) -> Int? {
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        guard line >= 1, line <= lines.count else { return nil }
        let behind = lines[line - 1].dropFirst(column - 1 + key.count)
        if holdsKey(behind) { return line }
        let rest = lines.enumerated().dropFirst(line)
        let sameColumn = rest.first { isKey($0.element.dropFirst(column - 1)) && isIndented($0.element) }
        return (sameColumn ?? rest.first { holdsKey($0.element) }).map { $0.offset + 1 }
    }

    private func isIndented(_ line: Substring) -> Bool {
        line.prefix(column - 1).allSatisfy { " -".contains($0) }
    }

    /// Whether `text` begins with the key, quoted or not, and a colon.
    private func isKey(_ text: Substring) -> Bool {
        ["", "'", "\""].contains { quote in
            let written = quote + key + quote
            return text.hasPrefix(written)
                && text.dropFirst(written.count).drop { $0 == " " }.first == ":"
        }
    }

    /// Whether the key stands anywhere in `text`, as flow style has it.
    private func holdsKey(_ text: Substring) -> Bool {
        text.indices.contains { index in
            let isFree = index == text.startIndex || " ,{".contains(text[text.index(before: index)])
            return isFree && isKey(text[index...])
        }
    }
}
