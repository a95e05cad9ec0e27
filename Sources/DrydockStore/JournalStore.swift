// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// The part of a store that keeps journals of builds that have ended, and finds places in journals.
package protocol JournalStore: Sendable {
    /// Packs journals of builds that have ended, about `limit` bytes of them; call it now and then.
    ///
    /// What readers are told stays the same. One that is damaged stays as it is. When the task is cancelled it ends soon, and
    /// the next call goes on from there.
    func sealJournals(atMost limit: ByteCount) async throws -> SealReport

    /// All records of a build that has ended as they are stored; nil where they are not packed (yet), or damaged.
    func gzipJournal(_ build: BuildID) async throws -> GzipJournal?

    /// The records in which these lines of an attempt's log are, as far as it is.
    ///
    /// Lines of a journal that is not packed are counted, by few at one time, and only for as long as the task is not cancelled
    /// and `isWanted`, which is asked now and then: else it throws `CancellationError`.
    func logSpan(
        _ build: BuildID,
        _ attempt: AttemptID,
        _ range: LogRange,
        while isWanted: @escaping @Sendable () -> Bool
    ) async throws -> LogSpan
}

extension JournalStore {
    /// The records in which these lines of an attempt's log are, for somebody who waits for them.
    package func logSpan(
        _ build: BuildID,
        _ attempt: AttemptID,
        _ range: LogRange
    ) async throws -> LogSpan {
        try await logSpan(build, attempt, range) { true }
    }
}
