// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import GRDB
import Glibc
import SystemPackage

/// The SQLite file: opened, migrated, and with its errors told in our words.
struct StoreDatabase: Sendable {
    let path: FilePath
    private let pool: DatabasePool

    /// Opens the file, or makes it.
    ///
    /// Several processes may do so at once: they take turns.
    init(_ directory: DataDirectory, durability: EmbeddedStore.Durability) throws(StoreError) {
        let path = directory.database
        self.path = path
        pool = try FileLock.holding(directory.openingLock) { () throws(StoreError) in
            if access(path.string, F_OK) != 0 {
                // The database was moved away: its left-over log must not be played into the new one.
                unlink(path.string + "-wal")
                unlink(path.string + "-shm")
            }
            try Self.close(path)
            return try Self.open(path, durability)
        }
    }

    private static func open(
        _ path: FilePath,
        _ durability: EmbeddedStore.Durability
    ) throws(StoreError) -> DatabasePool {
        do {
            try refuseNewer(path, durability)
            let pool = try DatabasePool(path: path.string, configuration: configuration(durability))
            try Schema.migrator.migrate(pool)
            return pool
        } catch {
            throw told(error, path)
        }
    }

    /// Throws where a newer version has brought the file up to date.
    ///
    /// By a connection of its own, that only reads: a pool writes to the file when it opens it.
    private static func refuseNewer(_ path: FilePath, _ durability: EmbeddedStore.Durability) throws {
        let queue = try DatabaseQueue(path: path.string, configuration: configuration(durability))
        let isNewer = try queue.read { try Schema.migrator.hasBeenSuperseded($0) }
        try queue.close()
        if isNewer { throw StoreError.newerVersion(path) }
    }

    /// Makes the file, and those that belong to it, readable for their owner alone, whatever the umask.
    ///
    /// SQLite gives new ones the rights of the database. One that is there is not opened: closing it would let go of the
    /// locks that another connection of this process holds. Source: sqlite.org/howtocorrupt.html, 2.2.
    private static func close(_ path: FilePath) throws(StoreError) {
        // Fine where it is there.
        _ = try? OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL)
        for suffix in ["", "-wal", "-shm"] where chmod(path.string + suffix, 0o600) != 0 && errno != ENOENT {
            throw .system("closing", FilePath(path.string + suffix), Errno.current)
        }
    }

    private static func configuration(_ durability: EmbeddedStore.Durability) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.label = "drydock-store"
        configuration.prepareDatabase { db in
            switch durability {
            case .everyCommit: try db.execute(sql: "PRAGMA synchronous = FULL")
            case .relaxed: try db.execute(sql: "PRAGMA synchronous = NORMAL")
            }
        }
        return configuration
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await pool.read(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Self.told(error, path)
        }
    }

    /// Reads on the calling thread, which must not be one of the few that run tasks: at a start, or the watcher's own.
    func readNow<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw Self.told(error, path)
        }
    }

    /// One transaction, which a cancelled task does not tear: what ends a build must be written even then.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
    {
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            pool.asyncWrite(body) { _, result in continuation.resume(returning: result) }
        }
        do {
            return try result.get()
        } catch {
            throw Self.told(error, path)
        }
    }

    /// Writes on the calling thread, with the same care.
    func writeNow<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try pool.write(body)
        } catch {
            throw Self.told(error, path)
        }
    }

    /// Copies what stands in it at this moment to a new file, which nobody else can read; others go on writing.
    ///
    /// Leases have lapsed in the copy: who holds them does not work on its builds.
    ///
    /// Source: sqlite.org/backup.html.
    func backUp(to path: FilePath) throws(StoreError) {
        try Self.close(path)
        do {
            let copy = try DatabaseQueue(path: path.string)
            try pool.backup(to: copy)
            try copy.write {
                try $0.execute(sql: "UPDATE builds SET lease_until = 0 WHERE lease_until IS NOT NULL")
            }
            try copy.close()
        } catch {
            throw Self.told(error, path)
        }
    }

    /// Closes, and moves what stands in the write-ahead log into the file itself where nobody else is at it.
    func close() throws(StoreError) {
        do {
            // Refused while others read; the log is then taken in by them.
            _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            try pool.close()
        } catch {
            throw Self.told(error, path)
        }
    }

    private static func told(_ error: any Error, _ path: FilePath) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? DatabaseError else { return .databaseFailed(detail: "\(error)") }
        let detail = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL: return .diskFull(path)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: return .notWritable(path)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .databaseDamaged(path, detail: detail)
        default: return .databaseFailed(detail: detail)
        }
    }
}
