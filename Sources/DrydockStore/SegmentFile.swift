// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// An open segment file; closed when the last one who uses it lets go.
final class SegmentFile: Sendable {
    let path: FilePath
    private let descriptor: Int32

    /// Opens for reading; nil when there is no such file.
    static func reading(_ path: FilePath) throws(StoreError) -> SegmentFile? {
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw .system("opening", path, Errno(rawValue: errno)) }
        return SegmentFile(path, descriptor)
    }

    /// Opens for appending by one writer, in this process or another; made where it is missing.
    static func appending(_ path: FilePath, _ attempt: AttemptID) throws(StoreError) -> SegmentFile {
        let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW
        let descriptor = open(path.string, flags, 0o600)
        guard descriptor >= 0 else { throw .system("opening", path, Errno(rawValue: errno)) }
        let file = SegmentFile(path, descriptor)
        let isOurs: Bool
        do throws(Errno) {
            isOurs = try FileDescriptor(rawValue: descriptor).tryLock()
        } catch {
            throw .system("locking", path, error)
        }
        guard isOurs else { throw .journalInUse(attempt) }
        return file
    }

    private init(_ path: FilePath, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    func size() throws(StoreError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("reading", path, Errno(rawValue: errno)) }
        return Int64(status.st_size)
    }

    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(from offset: Int64, count: Int) throws(StoreError) -> [UInt8] {
        do throws(Errno) {
            return try FileContents.read(FileDescriptor(rawValue: descriptor), from: offset, count: count)
        } catch {
            throw .system("reading", path, error)
        }
    }

    /// Appends `bytes`, as one `write(2)` unless the kernel takes fewer.
    ///
    /// Returns how many it took, and why not all.
    func append(_ bytes: [UInt8]) -> (written: Int, problem: Errno?) {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = write(
                    descriptor,
                    buffer.baseAddress.map { $0 + written },
                    buffer.count - written
                )
                if count >= 0 {
                    written += count
                } else if errno != EINTR {
                    return (written, Errno(rawValue: errno))
                }
            }
            return (written, nil)
        }
    }

    /// Sets blocks aside for `count` bytes from `offset`, behind the end of the file too.
    func reserve(from offset: Int64, count: Int64) -> Errno? {
        do throws(Errno) {
            try FileReservation.extend(FileDescriptor(rawValue: descriptor), from: offset, count: count)
            return nil
        } catch {
            return error
        }
    }

    /// Ends the file at `size`; blocks that were set aside behind it are given back.
    func cut(to size: Int64) throws(StoreError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw .system("cutting", path, Errno(rawValue: errno))
        }
    }

    /// Returns once the content is on stable storage.
    ///
    /// Source: man 2 fdatasync.
    func sync() throws(StoreError) {
        guard fdatasync(descriptor) == 0 else { throw .system("syncing", path, Errno(rawValue: errno)) }
    }

    deinit { Glibc.close(descriptor) }
}

/// Makes names in `directory` durable.
///
/// Source: man 2 fsync (a file's directory needs a sync of its own).
func syncDirectory(_ directory: FilePath) throws(StoreError) {
    do throws(Errno) {
        try DirectoryHandle(path: directory).withDescriptor { directory throws(Errno) in
            try FileContents.sync(directory)
        }
    } catch {
        throw .system("syncing", directory, error)
    }
}
