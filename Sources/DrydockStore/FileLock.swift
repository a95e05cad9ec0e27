// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// A lock between processes, on a file of its own.
enum FileLock {
    /// Runs `body` while nobody else holds the lock, a shared one while nobody holds it alone; waits for those who do, so it is
    /// for what does not take long.
    static func holding<Result>(
        _ path: FilePath,
        shared: Bool = false,
        _ body: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let file = try open(path)
        // Borrowed, so that it is not closed before the body has returned.
        return try file.withDescriptor { file throws(StoreError) in
            do throws(Errno) {
                try file.lock(shared: shared)
            } catch {
                throw .system("locking", path, error)
            }
            return try body()
        }
    }

    /// Runs `body` where nobody holds the lock; nil when somebody does.
    static func trying<Result>(
        _ path: FilePath,
        _ body: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result? {
        let file = try open(path)
        return try file.withDescriptor { file throws(StoreError) -> Result? in
            do throws(Errno) {
                guard try file.tryLock() else { return nil }
            } catch {
                throw .system("locking", path, error)
            }
            return try body()
        }
    }

    private static func open(_ path: FilePath) throws(StoreError) -> OwnedDescriptor {
        do throws(Errno) {
            return try OwnedDescriptor(opening: path, O_RDWR | O_CREAT | O_NOFOLLOW)
        } catch {
            throw .system("opening", path, error)
        }
    }
}
