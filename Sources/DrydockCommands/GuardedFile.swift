// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
internal import SystemPackage

/// A small file that the configuration names and that nobody but its owner may read.
enum GuardedFile {
    /// All of it, at most `largest` bytes; `what` names it in problems.
    static func bytes(_ path: String, _ what: String, atMost largest: Int) throws(CommandProblem) -> [UInt8] {
        var status = stat()
        let bytes: [UInt8]
        do throws(Errno) {
            // Not to wait for a writer, where it is a pipe.
            let file = try OwnedDescriptor(opening: FilePath(path), O_RDONLY | O_NONBLOCK)
            bytes = try file.withDescriptor { file throws(Errno) in
                // Of the file that is read: one that had its name before says nothing.
                guard fstat(file.rawValue, &status) == 0 else { throw Errno.current }
                guard status.st_mode & S_IFMT == S_IFREG else { throw .invalidArgument }
                return try FileContents.all(of: file, atMost: largest)
            }
        } catch {
            throw CommandProblem(
                .usage,
                what,
                why: "the file can not be read: \(error)",
                remedy: "name one that this user may read"
            )
        }
        if status.st_mode & 0o077 != 0 {
            throw CommandProblem(
                .usage,
                what,
                why: "others may read or change it",
                remedy: "chmod 600 \(path), and then replace what others may have read"
            )
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw CommandProblem(
                .usage,
                what,
                why: "it belongs to another user",
                remedy: "it must belong to the user that Drydock runs as, or to root"
            )
        }
        return bytes
    }
}
