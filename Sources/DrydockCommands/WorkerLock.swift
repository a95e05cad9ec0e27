// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
internal import SystemPackage

/// Which worker serves a data directory: the one that holds the lock on `worker.lock`, whose content is its process id.
///
/// The kernel lets go of the lock when the process ends, however it ends. Source: man 2 flock.
struct WorkerLock {
    private let path: FilePath

    init(dataDirectory: FilePath) { path = dataDirectory.appending("worker.lock") }

    /// Waits until no other worker holds the lock, and takes it for the life of this process.
    ///
    /// Blocks its thread.
    func hold() throws {
        let file = try FileDescriptor.open(
            path,
            .readWrite,
            options: [.create, .closeOnExec],
            permissions: .ownerReadWrite
        )
        while flock(file.rawValue, LOCK_EX) != 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
        try file.resize(to: 0)
        try file.writeAll("\(getpid())\n".utf8)
        // The descriptor stays open on purpose: closing it would let go of the lock.
    }

    /// The process that holds the lock; nil when nobody does.
    func holder() -> Int32? {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return nil }
        let owned = OwnedDescriptor(taking: file)
        return owned.withDescriptor { file in
            guard flock(file.rawValue, LOCK_SH | LOCK_NB) != 0 else { return nil }
            var buffer = [UInt8](repeating: 0, count: 16)
            guard let count = try? FileContents.read(file, into: &buffer) else { return nil }
            return Int32(String(decoding: buffer[..<count], as: UTF8.self).filter(\.isNumber))
        }
    }
}
