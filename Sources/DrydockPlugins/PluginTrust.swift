// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// Why a file is not to be run, in words.
struct UntrustedFile: Error, Hashable {
    var reason: String
}

/// Whose files are plugins: root's, ours, and those of the directory's owner; and nobody else may change them.
struct PluginTrust {
    private let owners: Set<UInt32>

    /// Checks the directory and everything above it.
    init(directory: String, status: FileStatus) throws {
        self.init(owner: status.owner.user)
        try checkWay(to: directory, status)
    }

    /// Of a directory that belongs to `owner`; checks nothing yet.
    init(owner: UInt32) { owners = [0, geteuid(), owner] }

    /// Checks the directory and everything above it.
    func checkWay(to directory: String, _ status: FileStatus) throws {
        try check(status, directory)
        var parent = FilePath(directory)
        while parent.removeLastComponent(), !parent.isEmpty {
            let status = try DirectoryHandle(path: parent).status()
            guard owners.contains(status.owner.user) else {
                throw UntrustedFile(reason: "its parent \(parent) belongs to user \(status.owner.user)")
            }
            // In a sticky directory like /tmp only the owner can rename or remove an entry.
            guard !Self.isOpen(status) || status.permissions & 0o1000 != 0 else {
                throw UntrustedFile(reason: "its parent \(parent) can be written by others: chmod go-w it")
            }
        }
    }

    /// Checks one file or folder of the directory.
    func check(_ status: FileStatus, _ name: String) throws(UntrustedFile) {
        guard owners.contains(status.owner.user) else {
            throw UntrustedFile(
                reason:
                    "\"\(name)\" belongs to user \(status.owner.user): only files of root, of the user that runs "
                    + "Drydock and of the directory's owner are run"
            )
        }
        guard status.kind == .symlink || !Self.isOpen(status) else {
            throw UntrustedFile(reason: "\"\(name)\" can be written by others: chmod go-w it")
        }
    }

    /// Writable by others, or by a group that is not the owner's private one (same number, as adduser makes them).
    private static func isOpen(_ status: FileStatus) -> Bool {
        status.permissions & 0o002 != 0
            || (status.permissions & 0o020 != 0 && status.owner.group != 0
                && status.owner.group != status.owner.user)
    }
}
