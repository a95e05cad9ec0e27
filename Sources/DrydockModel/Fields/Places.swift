// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Where a value and its parts stand in their file: a tree of the same shape as the value's.
package struct Places: Sendable {
    /// From 1.
    package var line: Int?
    /// Of the key the value stands under, where it does; a value may begin on a later line.
    package var keyLine: Int?
    /// Those of a table's values.
    package var fields: [String: Places] = [:]
    /// Those of a list's values.
    package var elements: [Places] = []

    package init(line: Int?) { self.line = line }
}
