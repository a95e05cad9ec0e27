// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc
package import SystemPackage

extension FileDescriptor {
    /// Waits until nobody else holds the lock on this open file, a shared one until nobody holds it alone, and takes it; it
    /// goes with the last descriptor.
    ///
    /// Source: man 2 flock.
    package func lock(shared: Bool = false) throws(Errno) {
        while flock(rawValue, shared ? LOCK_SH : LOCK_EX) != 0 {
            if Errno.current != .interrupted { throw Errno.current }
        }
    }

    /// Takes the lock where nobody else holds it, a shared one where nobody holds it alone; whether it was taken.
    package func tryLock(shared: Bool = false) throws(Errno) -> Bool {
        while flock(rawValue, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            let reason = Errno.current
            if reason == .wouldBlock { return false }
            if reason != .interrupted { throw reason }
        }
        return true
    }

    /// Whether `path` is still a name of this open file, and not of another one, or gone.
    ///
    /// Asked with the lock: whoever had it before may have removed the file, and a lock on it would keep nobody out.
    package func isNamed(_ path: FilePath) throws(Errno) -> Bool {
        do throws(Errno) {
            let (named, own) = (try fileStatus(at: path), try fileStatus(of: self))
            return named.inode == own.inode && named.device == own.device
        } catch .noSuchFileOrDirectory {
            return false
        }
    }
}
