// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
import Glibc
package import SystemPackage

/// Whole contents and attributes of open files.
package enum FileContents {
    private static let chunkSize = 1 << 20

    /// Copies `from`, read from its position, into `to`, an empty file; blocks are shared where the file system can.
    ///
    /// Returns the number of bytes. `EFBIG` once there are more than `limit`.
    @discardableResult
    package static func copy(
        from: FileDescriptor,
        to: FileDescriptor,
        atMost limit: Int64
    ) throws(Errno) -> Int64 {
        let size = try fileStatus(of: from).size
        if size > limit { throw .fileTooLarge }
        if cos_clone_file(to.rawValue, from.rawValue) == 0 { return try fileStatus(of: to).size }
        var total: Int64 = 0
        while true {
            let count = cos_copy_range(to.rawValue, from.rawValue, chunkSize)
            if count == 0 { return total }
            if count < 0 {
                let error = Errno(rawValue: Int32(-count))
                if error == .interrupted { continue }
                // EXDEV, EINVAL and others: these two file systems can not do it by themselves.
                if total == 0 { return try copyThroughMemory(from: from, to: to, atMost: limit) }
                throw error
            }
            total += count
            if total > limit { throw .fileTooLarge }
        }
    }

    private static func copyThroughMemory(
        from: FileDescriptor,
        to: FileDescriptor,
        atMost limit: Int64
    ) throws(Errno) -> Int64 {
        var buffer = [UInt8](repeating: 0, count: chunkSize)
        var total: Int64 = 0
        while true {
            let count = try read(from, into: &buffer)
            if count == 0 { return total }
            total += Int64(count)
            if total > limit { throw .fileTooLarge }
            try write(buffer[..<count], to: to)
        }
    }

    /// Reads up to a buffer full from the file's position; 0 at the end.
    ///
    /// Interruptions are retried.
    package static func read(_ file: FileDescriptor, into buffer: inout [UInt8]) throws(Errno) -> Int {
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
            if Errno.current != .interrupted { throw Errno.current }
        }
    }

    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    ///
    /// The file's position stays, so that several readers may share it. Source: man 2 pread.
    package static func read(
        _ file: FileDescriptor,
        from offset: Int64,
        count: Int
    ) throws(Errno) -> [UInt8] {
        var problem: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    file.rawValue,
                    buffer.baseAddress.map { $0 + filled },
                    count - filled,
                    off_t(offset) + filled
                )
                if got < 0 {
                    if Errno.current == .interrupted { continue }
                    problem = Errno.current
                    return
                }
                if got == 0 { return }
                filled += got
            }
        }
        if let problem { throw problem }
        return bytes
    }

    /// What follows from the file's position, its first `limit` bytes where there are more.
    package static func beginning(of file: FileDescriptor, atMost limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit, 1 << 16))
        while bytes.count < limit, case let count = try read(file, into: &buffer), count > 0 {
            bytes += buffer[..<min(count, limit - bytes.count)]
        }
        return bytes
    }

    /// All that follows from the file's position; `EFBIG` where that is more than `limit`.
    package static func all(of file: FileDescriptor, atMost limit: Int) throws(Errno) -> [UInt8] {
        let bytes = try beginning(of: file, atMost: limit + 1)
        if bytes.count > limit { throw .fileTooLarge }
        return bytes
    }

    /// Writes all of `bytes` at the file's position.
    ///
    /// Interruptions are retried.
    package static func write(_ bytes: ArraySlice<UInt8>, to file: FileDescriptor) throws(Errno) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if Errno.current != .interrupted {
                throw Errno.current
            }
        }
    }

    /// Has the disk begin with what was written, so that a later sync finds little left to do; makes nothing durable.
    package static func startWriting(_ file: FileDescriptor) { cos_start_writing(file.rawValue) }

    /// Returns once the file, with what has to be known of it, is on stable storage, whichever descriptor wrote it.
    ///
    /// Source: man 2 fsync.
    package static func sync(_ file: FileDescriptor) throws(Errno) {
        if fsync(file.rawValue) != 0 { throw Errno.current }
    }

    /// Waits for the disk, for everything on the file system that `file` is of: at once, where many files were written.
    package static func syncFileSystem(of file: FileDescriptor) throws(Errno) {
        let result = cos_sync_file_system(file.rawValue)
        if result != 0 { throw Errno(rawValue: -result) }
    }

    /// Sets the time of last change; the time of last access stays.
    package static func setModified(_ file: FileDescriptor, _ time: FileTime) throws(Errno) {
        let omit = (1 << 30) - 2  // UTIME_OMIT, a macro with a cast
        let times = [
            timespec(tv_sec: 0, tv_nsec: omit),
            timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds)),
        ]
        if futimens(file.rawValue, times) != 0 { throw Errno.current }
    }

    /// Sets the time of last access to now; the time of last change stays.
    package static func setAccessed(_ file: FileDescriptor) throws(Errno) {
        let times = [
            timespec(tv_sec: 0, tv_nsec: (1 << 30) - 1),  // UTIME_NOW
            timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2),  // UTIME_OMIT
        ]
        if futimens(file.rawValue, times) != 0 { throw Errno.current }
    }

    /// Sets exactly these permission bits, whatever the umask.
    package static func setPermissions(_ file: FileDescriptor, _ permissions: UInt32) throws(Errno) {
        if fchmod(file.rawValue, permissions) != 0 { throw Errno.current }
    }

    /// Gives the file to somebody else.
    package static func setOwner(_ file: FileDescriptor, _ owner: FileOwner) throws(Errno) {
        if fchown(file.rawValue, owner.user, owner.group) != 0 { throw Errno.current }
    }
}
