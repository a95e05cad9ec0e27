// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// An open segment file, plain or sealed; closed when the last one who uses it lets go.
///
/// Offsets and sizes are those of the plain form, whichever it is: readers know no other.
final class SegmentFile: Sendable {
    let path: FilePath
    private let file: OwnedDescriptor

    /// Nil where it is plain.
    private let sealed: SealedContent?

    /// Opens the journal whose plain form is at `path`, in the form that it has; nil when there is none.
    static func reading(_ path: FilePath) throws(StoreError) -> SegmentFile? {
        // The plain one first: it goes when the other one is there.
        let plain = try opening(path)
        if let plain, try plain.size() > 0 { return plain }
        return try opening(sealedPath(of: path)) ?? plain
    }

    /// Opens one file for reading; nil when there is no such file.
    static func opening(_ path: FilePath, isSealed: Bool? = nil) throws(StoreError) -> SegmentFile? {
        do throws(Errno) {
            let file = try OwnedDescriptor(opening: path, O_RDONLY | O_NOFOLLOW)
            let isSealed = isSealed ?? (path.extension == sealedExtension)
            return isSealed ? try SegmentFile(sealed: path, file) : SegmentFile(path, file)
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system("opening", path, error)
        }
    }

    /// Opens a plain journal that nobody writes, and keeps its writers out; nil when there is none.
    static func locking(_ path: FilePath, _ attempt: AttemptID) throws(StoreError) -> SegmentFile? {
        do throws(StoreError) {
            return try locked(path, O_RDWR | O_NOFOLLOW, attempt)
        } catch .io(_, _, .noSuchFileOrDirectory) {
            return nil
        }
    }

    /// Opens for appending by one writer, in this process or another; made where it is missing.
    ///
    /// `isOpened` is told before it is locked.
    static func appending(
        _ path: FilePath,
        _ attempt: AttemptID,
        _ isOpened: () -> Void = {}
    ) throws(StoreError) -> SegmentFile {
        try locked(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, attempt, isOpened)
    }

    private static func locked(
        _ path: FilePath,
        _ flags: Int32,
        _ attempt: AttemptID,
        _ isOpened: () -> Void = {}
    ) throws(StoreError) -> SegmentFile {
        do throws(Errno) {
            while true {
                let segment = SegmentFile(path, try OwnedDescriptor(opening: path, flags))
                isOpened()
                let (isOurs, isThere) = try segment.file.withDescriptor {
                    file throws(Errno) -> (Bool, Bool) in
                    guard try file.tryLock() else { return (false, true) }
                    return (true, try file.isNamed(path))
                }
                guard isOurs else { break }
                // Sealed before it was locked, it is gone, and what is written there with it.
                if isThere { return segment }
            }
        } catch {
            throw .system("opening", path, error)
        }
        throw .journalInUse(attempt)
    }

    private init(_ path: FilePath, _ file: consuming OwnedDescriptor) {
        self.path = path
        self.file = file
        sealed = nil
    }

    private init(sealed path: FilePath, _ file: consuming OwnedDescriptor) throws(Errno) {
        self.path = path
        let index = try file.withDescriptor { file throws(Errno) in
            let size = try fileStatus(of: file).size
            return try SealedIndex(ofFileWith: size) { offset, count throws(Errno) in
                try FileContents.read(file, from: offset, count: count)
            }
        }
        self.file = file
        sealed = SealedContent(index)
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
        if let sealed { return sealed.index.size }
        return try with("reading") { file throws(Errno) in try fileStatus(of: file).size }
    }

    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(from offset: Int64, count: Int) throws(StoreError) -> [UInt8] {
        guard let sealed else { return try readFile(from: offset, count: count) }
        return try sealed.read(from: offset, count: count, readFile)
    }

    private func readFile(from offset: Int64, count: Int) throws(StoreError) -> [UInt8] {
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

// MARK: The sealed form

extension SegmentFile {
    private static let sealedExtension = "sealed"

    /// Where the sealed form of the journal is whose plain form is at `path`.
    static func sealedPath(of path: FilePath) -> FilePath {
        var sealed = path
        sealed.extension = sealedExtension
        return sealed
    }

    /// Nil where it is plain.
    var index: SealedIndex? { sealed?.index }

    /// Whether it is known where which lines of the log are.
    var isCounted: Bool { index?.footer != nil }

    /// A block as it is stored.
    func stored(_ block: SealedBlock) throws(StoreError) -> [UInt8] {
        try readFile(from: block.position, count: block.stored)
    }

    /// Whether all blocks are stored as they were written.
    func isStoredWhole() throws(StoreError) -> Bool {
        for block in index?.blocks ?? [] where CRC32.of(try stored(block)[...]) != block.storedCheck {
            return false
        }
        return index?.footer != nil
    }

    /// The same, and that they read back.
    func isWhole() throws(StoreError) -> Bool {
        guard let sealed, try isStoredWhole() else { return false }
        return try sealed.isWhole(readFile)
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
