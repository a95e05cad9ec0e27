// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// The directory that the workspace of one `drydock run` is made in: for its owner alone.
///
/// One that is not kept is removed by a later run where its own process could not, as after a `kill -9`: whose it is
/// tells a lock on it, which the kernel lets go of when the process ends. Source: man 2 flock.
struct RunFolder {
    enum Lifetime {
        /// As long as this process.
        case process
        /// Until somebody removes it.
        case kept
    }

    /// What the names of those begin with that are not kept.
    static let prefix = "drydock-run-"
    /// Where they are made: `TMPDIR`.
    static var parent: String { FileManager.default.temporaryDirectory.path }

    let path: FilePath
    private let lock: FileDescriptor

    init(_ lifetime: Lifetime) throws(Errno) {
        if lifetime == .process { Self.sweep() }
        let parent = FilePath(Self.parent)
        // It gets the name that is looked for once it is locked; until then nobody takes it for a leftover.
        let name = UUID().uuidString
        let new = parent.appending("drydock-new-\(name)")
        guard mkdir(new.string, 0o700) == 0 else { throw Errno.current }
        lock = try OwnedDescriptor(opening: new, O_RDONLY | O_DIRECTORY).release()
        guard try lock.tryLock() else { throw Errno.wouldBlock }
        path = parent.appending((lifetime == .process ? Self.prefix : "drydock-spec-") + name)
        guard rename(new.string, path.string) == 0 else { throw Errno.current }
    }

    /// Makes it for `command`, which ends with `status` where that can not be done.
    static func made(
        _ lifetime: Lifetime,
        for command: String,
        orExit status: ExitStatus
    ) throws(CommandProblem) -> RunFolder {
        do throws(Errno) {
            return try RunFolder(lifetime)
        } catch {
            throw CommandProblem(
                status,
                command,
                why: "no directory can be made in \(parent): \(error)",
                remedy: "set TMPDIR to a directory that this user may write to"
            )
        }
    }

    /// Removes it; it must be empty.
    func remove() throws {
        // Held until it is gone: another run would take it for a leftover.
        defer { try? lock.close() }  // harmless: nothing was written through it
        try FileManager.default.removeItem(atPath: path.string)
    }

    /// Removes the folders of runs that were killed.
    private static func sweep() {
        // What can not be read or removed is not this run's concern; the next one tries again.
        guard let parent = try? DirectoryHandle(path: FilePath(parent)), let names = try? parent.sortedNames()
        else { return }
        for name in names where name.hasPrefix(prefix) && isLeft("\(Self.parent)/\(name)") {
            try? TreeRemover.remove(name, in: parent)
        }
    }

    /// Whether it is ours, and no process holds it.
    private static func isLeft(_ path: String) -> Bool {
        guard
            let folder = try? OwnedDescriptor(opening: FilePath(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        else { return false }
        return folder.withDescriptor { folder in
            (try? fileStatus(of: folder).owner.user) == geteuid() && (try? folder.tryLock()) == true
        }
    }
}
