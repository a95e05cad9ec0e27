// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockStore

/// How much of a journal is read and told in one go: little, so that viewers see the first lines soon; more and more of a
/// build that prints faster than that, for each go costs a change of threads.
struct BatchSize {
    private static let least = 16 << 10

    private let most: Int
    /// Bytes.
    private(set) var bytes = BatchSize.least

    init(most: Int = 256 << 10) { self.most = most }

    /// Learns from what was read: as much as was asked for means that there is more.
    mutating func note(_ lines: [JournalLine]) {
        let read = lines.reduce(0) { $0 + $1.bytes.count }
        bytes = read > bytes / 4 * 3 ? min(bytes * 2, most) : Self.least
    }
}
