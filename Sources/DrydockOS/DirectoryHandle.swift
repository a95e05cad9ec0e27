// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
import DrydockModel
import Glibc
package import SystemPackage

/// An open directory that paths are anchored to.
///
/// Whatever is opened through it lies below it: no `..`, no symbolic link on the way, no other mount, even while somebody
/// renames things underneath (openat2 with BENEATH, NO_SYMLINKS, NO_MAGICLINKS and NO_XDEV). A class, because several
/// walks may share one descriptor; it is closed with the last reference.
package final class DirectoryHandle: Sendable {
    let descriptor: FileDescriptor

    /// Takes over `directory`, an open directory.
    package init(taking directory: consuming OwnedDescriptor) { descriptor = directory.release() }

    /// Opens a directory of this machine by an ordinary path, links followed: for paths the operator gives.
    package convenience init(path: FilePath) throws(Errno) {
        self.init(taking: try OwnedDescriptor(opening: path, O_RDONLY | O_DIRECTORY))
    }

    deinit { try? descriptor.close() }  // harmless: nothing was written through it

    /// The number, for a call that needs one; good as long as the handle lives.
    package func withDescriptor<Result, Problem: Error>(
        _ body: (FileDescriptor) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try body(descriptor)
    }
}

/// How a file is opened.
package enum FileAccess: Sendable {
    case read
    /// Made anew with these permission bits; an existing one is `EEXIST`.
    case create(permissions: UInt32)
}

// MARK: Opening

extension DirectoryHandle {
    /// Opens a file below.
    ///
    /// Never waits for a writer of a fifo; what was opened is for the caller to look at.
    package func openFile(_ path: TreePath, _ access: FileAccess) throws(Errno) -> OwnedDescriptor {
        switch access {
        case .read:
            try openBeneath(path.bytes, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        case .create(let permissions):
            try openBeneath(path.bytes, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, permissions)
        }
    }

    /// Opens a directory below; the root path opens this one anew.
    package func openDirectory(_ path: TreePath) throws(Errno) -> DirectoryHandle {
        let path = path == .root ? [UInt8(ascii: ".")] : path.bytes
        return DirectoryHandle(taking: try openBeneath(path, O_RDONLY | O_DIRECTORY))
    }

    /// A descriptor that stands for what is below at `path`, whatever that is, a link itself, without opening it (O_PATH).
    package func openEntry(_ path: TreePath) throws(Errno) -> OwnedDescriptor {
        try owned(withCString(path.bytes) { cos_open_entry(descriptor.rawValue, $0) })
    }

    /// Opens a file below, following symbolic links that stay below; `EXDEV` for one that leaves.
    package func openFileFollowingLinks(_ path: TreePath) throws(Errno) -> OwnedDescriptor {
        let flags = UInt64(O_RDONLY | O_NONBLOCK | O_NOCTTY)
        return try owned(
            withCString(path.bytes) { cos_open_beneath_following(descriptor.rawValue, $0, flags) }
        )
    }

    func openBeneath(_ path: [UInt8], _ flags: Int32, _ mode: UInt32 = 0) throws(Errno) -> OwnedDescriptor {
        try owned(withCString(path) { cos_open_beneath(descriptor.rawValue, $0, UInt64(flags), mode) })
    }

    private func owned(_ result: Int32) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(taking: FileDescriptor(rawValue: try checked(result)))
    }
}

// MARK: Single names

// `name` is one component: these calls do not walk, so that nothing can be swapped on the way.
extension DirectoryHandle {
    /// The facts about an entry of this directory, links not followed.
    package func status(of name: ArraySlice<UInt8>) throws(Errno) -> FileStatus {
        var status = stat()
        if withCString(name, { fstatat(descriptor.rawValue, $0, &status, AT_SYMLINK_NOFOLLOW) }) != 0 {
            throw Errno.current
        }
        return FileStatus(status)
    }

    /// The facts about this directory.
    package func status() throws(Errno) -> FileStatus { try fileStatus(of: descriptor) }

    /// What the file system it is on holds in all, and what ordinary users may still write, in bytes; and how many inodes
    /// they may still make.
    ///
    /// Source: man 3 statvfs.
    package func freeSpace() throws(Errno) -> (total: Int64, available: Int64, inodes: Int64) {
        var found = statvfs()
        _ = try checked(fstatvfs(descriptor.rawValue, &found) == 0 ? 0 : -errno)
        let block = Int64(clamping: found.f_frsize)
        return (
            Int64(clamping: found.f_blocks) * block,
            Int64(clamping: found.f_bavail) * block,
            Int64(clamping: found.f_favail)
        )
    }

    /// The text of the symbolic link `name`.
    package func linkTarget(of name: ArraySlice<UInt8>) throws(Errno) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: PathRule.longestPath + 1)
        let count = withCString(name) { readlinkat(descriptor.rawValue, $0, &buffer, buffer.count) }
        if count < 0 { throw Errno.current }
        return buffer.prefix(count).map { UInt8(bitPattern: $0) }
    }

    /// Makes a directory with exactly these permission bits, whatever the umask, and opens it.
    package func makeDirectory(
        _ name: ArraySlice<UInt8>,
        permissions: UInt32 = 0o755
    ) throws(Errno) -> DirectoryHandle {
        if withCString(name, { mkdirat(descriptor.rawValue, $0, 0o700) }) != 0 { throw Errno.current }
        let made = DirectoryHandle(taking: try openBeneath(Array(name), O_RDONLY | O_DIRECTORY))
        if fchmod(made.descriptor.rawValue, permissions) != 0 { throw Errno.current }
        return made
    }

    /// Makes a symbolic link with the text `target`.
    package func makeLink(_ name: ArraySlice<UInt8>, target: [UInt8]) throws(Errno) {
        let result = withCString(target) { target in
            withCString(name) { symlinkat(target, descriptor.rawValue, $0) }
        }
        if result != 0 { throw Errno.current }
    }

    /// Makes `file`, an O_PATH descriptor of a regular file of this file system, an entry of this directory too.
    ///
    /// By /proc/self/fd: the other way (AT_EMPTY_PATH) needs a capability. Source: man 2 linkat.
    package func makeHardLink(_ name: ArraySlice<UInt8>, to file: FileDescriptor) throws(Errno) {
        let result = withCString(name) {
            linkat(
                AT_FDCWD,
                "/proc/self/fd/\(file.rawValue)",
                descriptor.rawValue,
                $0,
                AT_SYMLINK_FOLLOW
            )
        }
        if result != 0 { throw Errno.current }
    }

    /// Removes an entry that is no directory.
    package func removeFile(_ name: ArraySlice<UInt8>) throws(Errno) {
        if withCString(name, { unlinkat(descriptor.rawValue, $0, 0) }) != 0 { throw Errno.current }
    }

    /// Removes an empty directory.
    package func removeDirectory(_ name: ArraySlice<UInt8>) throws(Errno) {
        if withCString(name, { unlinkat(descriptor.rawValue, $0, AT_REMOVEDIR) }) != 0 { throw Errno.current }
    }

    /// Moves an entry to another directory; an existing one there is `EEXIST`.
    package func move(
        _ name: ArraySlice<UInt8>,
        to directory: DirectoryHandle,
        as newName: ArraySlice<UInt8>
    ) throws(Errno) {
        let result = withCString(name) { name in
            withCString(newName) { newName in
                cos_rename(descriptor.rawValue, name, directory.descriptor.rawValue, newName, 1)
            }
        }
        _ = try checked(result)
    }

    /// Sets the owner of an entry, the link itself where it is one.
    package func setOwner(of name: ArraySlice<UInt8>, _ owner: FileOwner) throws(Errno) {
        let result = withCString(name) {
            fchownat(descriptor.rawValue, $0, owner.user, owner.group, AT_SYMLINK_NOFOLLOW)
        }
        if result != 0 { throw Errno.current }
    }

    /// Opens the subdirectory `name` after making it readable, writable and searchable for its owner.
    ///
    /// A build may leave directories of mode 000; a descriptor of the directory itself (O_PATH needs no right to it)
    /// makes sure that it is this directory, and no link put in its place, whose mode is changed.
    package func openDirectoryForcing(_ name: ArraySlice<UInt8>) throws(Errno) -> DirectoryHandle {
        do throws(Errno) {
            let handle = DirectoryHandle(taking: try openBeneath(Array(name), O_RDONLY | O_DIRECTORY))
            if try handle.status().permissions & 0o700 == 0o700 || geteuid() == 0 { return handle }
        } catch .permissionDenied {
            // Its mode is changed below.
        }
        let place = try owned(withCString(name) { cos_open_place(descriptor.rawValue, $0) })
        let result = place.withDescriptor { cos_chmod_path_descriptor($0.rawValue, 0o700) }
        _ = try checked(result)
        return DirectoryHandle(taking: try openBeneath(Array(name), O_RDONLY | O_DIRECTORY))
    }
}

/// The facts about an open file.
package func fileStatus(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
    var status = stat()
    if fstat(descriptor.rawValue, &status) != 0 { throw Errno.current }
    return FileStatus(status)
}

/// The facts about the file at a path of this machine, a link not followed.
package func fileStatus(at path: FilePath) throws(Errno) -> FileStatus {
    var status = stat()
    if path.withPlatformString({ lstat($0, &status) }) != 0 { throw Errno.current }
    return FileStatus(status)
}

extension Errno {
    /// What the last failed call of the C library left.
    package static var current: Errno { Errno(rawValue: errno) }
}

/// Turns a negative errno into a thrown one.
func checked(_ result: Int32) throws(Errno) -> Int32 {
    if result < 0 { throw Errno(rawValue: -result) }
    return result
}

/// Calls `body` with `bytes` as a C string; `bytes` hold no NUL.
func withCString<Result>(_ bytes: some Collection<UInt8>, _ body: (UnsafePointer<CChar>) -> Result) -> Result
{
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
        var end = 0
        for byte in bytes {
            buffer[end] = CChar(bitPattern: byte)
            end += 1
        }
        buffer[end] = 0
        // The buffer has at least one element, so it has an address.
        return buffer.withMemoryRebound(to: CChar.self) { rebound in
            guard let address = rebound.baseAddress else {
                preconditionFailure("an allocation without address")
            }
            return body(address)
        }
    }
}
