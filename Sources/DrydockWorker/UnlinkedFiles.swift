// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc

/// Files that have no name any more and take up their place as long as a process holds them open.
enum UnlinkedFiles {
    /// More than these are too many to tell apart.
    private static let most = 65_536

    /// Bytes on disk of those that processes inside hold which see the directory `tree` of the host as `inside`.
    ///
    /// By `/proc/PID/fd`: what a process only maps, or has sent and nobody received, is not seen, nor is a process that
    /// hides from an ordinary user (man 5 proc_pid, "dumpable").
    static func bytes(below tree: String, seenAs inside: String) -> Int64 {
        guard let wanted = status(tree) else { return 0 }
        var seen: Set<UInt64> = []
        var bytes: Int64 = 0
        for process in HostFile.names(in: "/proc") where process.first?.isNumber == true {
            guard let root = status("/proc/\(process)/root\(inside)"), root.st_ino == wanted.st_ino,
                root.st_dev == wanted.st_dev
            else { continue }
            for descriptor in HostFile.names(in: "/proc/\(process)/fd") {
                guard let file = status("/proc/\(process)/fd/\(descriptor)"), file.st_nlink == 0,
                    file.st_dev == wanted.st_dev, file.st_mode & S_IFMT == S_IFREG,
                    seen.count < most, seen.insert(UInt64(file.st_ino)).inserted
                else { continue }
                bytes += Int64(file.st_blocks) * 512
            }
        }
        return bytes
    }

    private static func status(_ path: String) -> stat? {
        var found = stat()
        return stat(path, &found) == 0 ? found : nil
    }
}
