// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import Glibc

/// What an entry of a directory is.
package enum FileKind: String, Sendable, Hashable {
    case file
    case directory
    case symlink = "symbolic link"
    case fifo
    case socket
    case characterDevice = "character device"
    case blockDevice = "block device"
    case unknown

    init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symlink
        case S_IFIFO: self = .fifo
        case S_IFSOCK: self = .socket
        case S_IFCHR: self = .characterDevice
        case S_IFBLK: self = .blockDevice
        default: self = .unknown
        }
    }
}

/// The facts about an entry, without following a link.
///
/// Source: man 2 stat.
package struct FileStatus: Sendable, Hashable {
    package var kind: FileKind
    /// Permission bits only (07777).
    package var permissions: UInt32
    /// Apparent size in bytes.
    package var size: Int64
    /// Bytes that it takes up: less than `size` for a sparse file.
    package var allocated: Int64
    package var modified: FileTime
    /// When it was last read, as far as the file system keeps that, or somebody has said.
    package var accessed: FileTime
    /// When its content, name or rights last changed; nobody can set it.
    package var changed: Timestamp
    package var owner: FileOwner
    package var device: UInt64
    package var inode: UInt64

    /// Whether its owner may execute it.
    package var isExecutable: Bool { permissions & 0o100 != 0 }

    init(_ status: stat) {
        kind = FileKind(mode: status.st_mode)
        permissions = status.st_mode & 0o7777
        size = Int64(status.st_size)
        allocated = Int64(status.st_blocks) * 512
        modified = FileTime(
            seconds: Int64(status.st_mtim.tv_sec),
            nanoseconds: Int64(status.st_mtim.tv_nsec)
        )
        accessed = FileTime(
            seconds: Int64(status.st_atim.tv_sec),
            nanoseconds: Int64(status.st_atim.tv_nsec)
        )
        let milliseconds = Int64(status.st_ctim.tv_sec) * 1_000 + Int64(status.st_ctim.tv_nsec) / 1_000_000
        changed = Timestamp(milliseconds: milliseconds)
        owner = FileOwner(user: status.st_uid, group: status.st_gid)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// A time that a file has, since 1970.
package struct FileTime: Sendable, Hashable, Comparable {
    package var seconds: Int64
    /// 0…999 999 999.
    package var nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = min(max(nanoseconds, 0), 999_999_999)
    }

    /// Earlier moments come first.
    package static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

/// Whom a file belongs to.
package struct FileOwner: Sendable, Hashable {
    package var user: UInt32
    package var group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}
