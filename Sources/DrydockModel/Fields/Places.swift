// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Where a value and its parts stand in their file: a tree of the same shape as the value's.
///
/// A class, so that a field that has none is a word smaller: records are read by the hundred thousand.
package final class Places: Sendable {
    /// One key of a table; its value may begin on a later line.
    package struct Entry: Sendable {
        package let keyLine: Int?
        package let places: Places

        package init(keyLine: Int?, places: Places) {
            self.keyLine = keyLine
            self.places = places
        }
    }

    /// From 1.
    package let line: Int?
    /// Those of a table's values.
    package let fields: [String: Entry]
    /// Those of a list's values.
    package let elements: [Places]

    package init(line: Int?, fields: [String: Entry] = [:], elements: [Places] = []) {
        self.line = line
        self.fields = fields
        self.elements = elements
    }
}
