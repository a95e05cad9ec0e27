// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// The part of a store that keeps journals of builds that have ended, and finds places in journals.
package protocol JournalStore: Sendable {
    /// Packs journals of builds that have ended, about `limit` bytes of them; call it now and then.
    ///
    /// What readers are told stays the same. One that is damaged stays as it is.
    func sealJournals(atMost limit: ByteCount) async throws -> SealReport

    /// All records of a build that has ended as they are stored; nil where they are not packed (yet), or damaged.
    func gzipJournal(_ build: BuildID) async throws -> GzipJournal?

    /// The records in which these lines of an attempt's log are, as far as it is.
    func logSpan(_ build: BuildID, _ attempt: AttemptID, _ range: LogRange) async throws -> LogSpan
}
