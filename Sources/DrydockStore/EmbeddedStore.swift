// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Synchronization
package import SystemPackage

/// The store of one machine: SQLite and files in a data directory, shared by as many processes as open it.
///
/// The segment files are the truth about a build; SQLite holds queue, leases, mailbox and an index. Waking goes by
/// inotify: whoever changes something writes a bell file, and segments wake their readers by being written.
package final class EmbeddedStore: Store {
    package let directory: DataDirectory
    let options: Options
    let database: StoreDatabase
    let bells: Bells
    let damage: DamageLog
    let blobs: BlobFolder
    /// The open journals, so that a lease that is lost closes them.
    ///
    /// An entry goes with its writer.
    let writers = Mutex<[AttemptID: WeakSegmentWriter]>([:])

    let sealing = Mutex(SealingProgress())
    /// Who counts the lines of a journal waits for a turn: each takes a processor meanwhile.
    let counting = Turnstile(places: EmbeddedStore.countedAtOnce)
    static let countedAtOnce = 4

    /// Opens the store in `directory`; a database that is missing is made from the journals there are.
    package init(_ directory: DataDirectory, _ options: Options = Options()) throws(StoreError) {
        self.directory = directory
        self.options = options
        blobs = BlobFolder(directory: directory)
        damage = DamageLog(now: options.now, options.onDamage)
        database = try StoreDatabase(directory, durability: options.durability)
        bells = try Bells(directory, database)
        blobs.sweep(now: options.now())
        if try isRebuilding() {
            // Waits for whoever rebuilds, collects or copies: nobody sees a part of the index and takes it for all.
            try FileLock.holding(directory.garbageLock) { () throws(StoreError) in
                if try isRebuilding() { try rebuildIndexNow() }
            }
        }
    }

    /// Opens the store in the data directory at `path`, which is made where it is missing.
    package convenience init(opening path: FilePath, _ options: Options = Options()) throws(StoreError) {
        try self.init(try DataDirectory(opening: path), options)
    }

    /// Closes the database; streams and readers end.
    ///
    /// The store is not used any more.
    package func close() throws {
        bells.close()
        for writer in writers.withLock({ $0.values.compactMap(\.writer) }) { try writer.close() }
        try database.close()
    }

    deinit { bells.close() }
}

extension EmbeddedStore {
    /// When a change counts as kept.
    package enum Durability: Sendable {
        /// With every commit: it survives a power cut.
        case everyCommit
        /// It survives the death of any process, but a power cut may take the last ones.
        case relaxed
    }

    /// The numbers of a store; all processes on one directory should agree on them.
    package struct Options: Sendable {
        /// How long a lease lasts without heartbeat.
        package var leaseDuration: Duration = .seconds(30)
        /// How many attempts a build gets when workers are lost.
        package var attempts = 2
        /// How many builds of one session may wait.
        package var queuedPerSession = 100
        /// How many builds that came with one token may wait.
        package var queuedPerSubmitter = 1_000
        /// How many builds may wait in all.
        package var queuedInAll = 10_000
        /// How far back starts count against a submitter's and a session's turn.
        package var fairnessWindow: Duration = .seconds(10 * 60)
        package var durability = Durability.everyCommit
        /// Told of each thing that can not be read any more, once.
        package var onDamage: @Sendable (StoreDamage) -> Void = { _ in }
        /// The clock of leases and records.
        package var now: @Sendable () -> Timestamp = { .now() }

        package init() {}
    }
}
