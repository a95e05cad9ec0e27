// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import GRDB
import Glibc
import SystemPackage

extension EmbeddedStore {
    package func register(_ worker: WorkerID) async throws -> any WorkerRegistration {
        try await sweepHolders()
        let path = try lock(of: worker)
        do throws(Errno) {
            guard let lock = try await Blocking.run({ () throws(Errno) in try LivenessLock.take(path) })
            else {
                throw Errno.resourceBusy
            }
            return HolderRegistration(lock: lock)
        } catch {
            throw StoreError.system("locking", path, error)
        }
    }

    package func isRegistered(_ worker: WorkerID) async throws -> Bool {
        // What is no name of a file is no holder's.
        guard let path = try? lock(of: worker) else { return false }
        do throws(Errno) {
            return try await Blocking.run { () throws(Errno) in try LivenessLock.status(of: path) != .free }
        } catch {
            throw StoreError.system("locking", path, error)
        }
    }

    private func lock(of worker: WorkerID) throws(StoreError) -> FilePath {
        // Ids become names of files here; those of other stores' workers may be anything.
        guard let name = FilePath.Component(worker.rawValue), name.kind == .regular else {
            throw .io(operation: "naming", directory.holders, .invalidArgument)
        }
        return directory.holders.appending(name)
    }

    /// Whether the process behind a lease has certainly ended: its lock is there, from this run of the machine, and free.
    ///
    /// False where that can not be told: the lease's own time decides then.
    func isGone(_ worker: WorkerID) -> Bool {
        guard let path = try? lock(of: worker), let last = LivenessLock.lastHolder(of: path),
            last.process.isOfThisBoot
        else { return false }
        return (try? LivenessLock.status(of: path)) == .free
    }

    /// The holders of leases that have ended without giving them back.
    func goneHolders() async throws -> Set<String> {
        try await leaseHolders().filter { isGone(WorkerID(rawValue: $0)) }
    }

    private func leaseHolders() async throws -> Set<String> {
        try await database.read { db in
            try String.fetchSet(
                db,
                sql: "SELECT DISTINCT worker FROM builds WHERE lease_until IS NOT NULL AND worker IS NOT NULL"
            )
        }
    }

    /// Deletes the locks of processes that ended and hold no lease: nobody asks for these any more.
    private func sweepHolders() async throws {
        let holders = try await leaseHolders()
        try await Blocking.run { [directory = directory.holders] in
            for name in try DataDirectory.names(in: directory) where !holders.contains(name) {
                let path = directory.appending(name)
                // One that is just being made has nothing in it yet.
                guard let last = LivenessLock.lastHolder(of: path), !last.process.isAlive,
                    (try? LivenessLock.status(of: path)) == .free
                else { continue }
                unlink(path.string)
            }
        }
    }

    /// Deletes the locks of holders that ended and whose builds were taken back.
    func forget(_ holders: Set<String>) {
        for holder in holders {
            if let path = try? lock(of: WorkerID(rawValue: holder)) { unlink(path.string) }
        }
    }
}

private final class HolderRegistration: WorkerRegistration {
    private let lock: LivenessLock

    init(lock: LivenessLock) { self.lock = lock }

    func end() { lock.remove() }

    deinit { end() }
}
