// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// An open segment file; closed when the last one who uses it lets go.
final class SegmentFile: Sendable {
    let path: FilePath
    private let file: OwnedDescriptor

    /// Opens for reading; nil when there is no such file.
    static func reading(_ path: FilePath) throws(StoreError) -> SegmentFile? {
        do throws(Errno) {
            return SegmentFile(path, try OwnedDescriptor(opening: path, O_RDONLY | O_NOFOLLOW))
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system("opening", path, error)
        }
    }

    /// Opens for appending by one writer, in this process or another; made where it is missing.
    static func appending(_ path: FilePath, _ attempt: AttemptID) throws(StoreError) -> SegmentFile {
        let flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW
        let segment: SegmentFile
        let isOurs: Bool
        do throws(Errno) {
            segment = SegmentFile(path, try OwnedDescriptor(opening: path, flags))
            isOurs = try segment.file.withDescriptor { file throws(Errno) in try file.tryLock() }
        } catch {
            throw .system("opening", path, error)
        }
        guard isOurs else { throw .journalInUse(attempt) }
        return segment
    }

    private init(_ path: FilePath, _ file: consuming OwnedDescriptor) {
        self.path = path
        self.file = file
    }

    /// Runs `body` on the open file, and tells what failed as `operation`.
    private func with<Result>(
        _ operation: String,
        _ body: (FileDescriptor) throws(Errno) -> Result
    ) throws(StoreError) -> Result {
        do throws(Errno) {
            return try file.withDescriptor(body)
        } catch {
            throw .system(operation, path, error)
        }
    }

    func size() throws(StoreError) -> Int64 {
        try with("reading") { file throws(Errno) in try fileStatus(of: file).size }
    }

    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(from offset: Int64, count: Int) throws(StoreError) -> [UInt8] {
        try with("reading") { file throws(Errno) in
            try FileContents.read(file, from: offset, count: count)
        }
    }

    /// Appends `bytes`, as one `write(2)` unless the kernel takes fewer.
    ///
    /// Returns how many it took, and why not all.
    func append(_ bytes: [UInt8]) -> (written: Int, problem: Errno?) {
        let number = file.withDescriptor(\.rawValue)
        return bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = write(
                    number,
                    buffer.baseAddress.map { $0 + written },
                    buffer.count - written
                )
                if count >= 0 {
                    written += count
                } else if errno != EINTR {
                    return (written, Errno.current)
                }
            }
            return (written, nil)
        }
    }

    /// Sets blocks aside for `count` bytes from `offset`, behind the end of the file too.
    func reserve(from offset: Int64, count: Int64) -> Errno? {
        do throws(Errno) {
            try file.withDescriptor { file throws(Errno) in
                try FileReservation.extend(file, from: offset, count: count)
            }
            return nil
        } catch {
            return error
        }
    }

    /// Ends the file at `size`; blocks that were set aside behind it are given back.
    func cut(to size: Int64) throws(StoreError) {
        try with("cutting") { file throws(Errno) in
            if ftruncate(file.rawValue, off_t(size)) != 0 { throw Errno.current }
        }
    }

    /// Returns once the content is on stable storage.
    ///
    /// Source: man 2 fdatasync.
    func sync() throws(StoreError) {
        try with("syncing") { file throws(Errno) in
            if fdatasync(file.rawValue) != 0 { throw Errno.current }
        }
    }
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
