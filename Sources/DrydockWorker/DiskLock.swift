// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
internal import SystemPackage

/// A lock between processes and between threads, for as long as room on a disk is promised to one of them.
struct DiskLock {
    private let descriptor: FileDescriptor
    /// The file that was made for the lock, and goes with it.
    private let file: FilePath?

    /// Waits for the lock on a directory, which must be this user's alone.
    init(directory: FilePath) throws {
        descriptor = try FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec])
        file = nil
        do throws(Errno) {
            try descriptor.lock()
        } catch {
            try? descriptor.close()  // the first error is the one to tell
            throw error
        }
    }

    /// Waits for the lock that a file stands for, made where it is missing: in a directory that others may write to.
    ///
    /// They can not hold it: only this user opens the file. Throws `permissionDenied` where it is somebody else's.
    init(file: FilePath) throws {
        while true {
            let opened = try FileDescriptor.open(
                file,
                .readWrite,
                options: [.create, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite]
            )
            do throws(Errno) {
                guard try fileStatus(of: opened).owner.user == geteuid() else {
                    throw Errno.permissionDenied
                }
                try opened.lock()
                if try opened.isNamed(file) {
                    descriptor = opened
                    self.file = file
                    return
                }
            } catch {
                try? opened.close()  // the first error is the one to tell
                throw error
            }
            // Whoever held it before has removed the file: the next one waits for another.
            try opened.close()
        }
    }

    /// Lets the next one have it.
    func release() {
        if let file { unlink(file.string) }
        try? descriptor.close()  // harmless: nothing was written
    }
}
