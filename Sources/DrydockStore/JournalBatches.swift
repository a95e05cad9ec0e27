// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A journal as a sequence of batches, each as large as is there at once.
package struct JournalBatches: AsyncSequence, Sendable {
    package typealias Element = [JournalLine]

    fileprivate let reader: any JournalReader
    fileprivate let maxBytes: Int

    package func makeAsyncIterator() -> Iterator { Iterator(reader: reader, maxBytes: maxBytes) }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: any JournalReader
        fileprivate let maxBytes: Int

        package mutating func next() async throws -> [JournalLine]? {
            try await reader.next(maxBytes: maxBytes)
        }
    }
}

extension Store {
    /// The records of an attempt after `seq`, live or past, in batches of at most `maxBytes`; ends with the journal.
    package func follow(
        _ build: BuildID,
        _ attempt: AttemptID,
        after seq: UInt64 = 0,
        maxBytes: Int = 64 << 10
    ) async throws -> JournalBatches {
        JournalBatches(reader: try await reader(build, attempt, after: seq), maxBytes: maxBytes)
    }
}
