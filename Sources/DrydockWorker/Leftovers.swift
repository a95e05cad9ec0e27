// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import Logging
internal import SystemPackage

/// What attempts of dead workers left on the disk.
struct Leftovers {
    /// Where they lie, each named after its attempt.
    let folders: [FilePath]
    let store: any Store
    let logger: Logger

    /// Removes workspaces and snapshots whose attempt is under nobody's lease.
    ///
    /// They are named by attempt.
    func remove() async throws {
        for folder in folders {
            let directory = try DirectoryHandle(path: folder)
            // The names come first: what is made after that belongs to an attempt that runs.
            let names = try directory.sortedNames()
            let active = try await activeAttempts()
            for name in names where Self.isOurs(name) {
                // A fetch's scratch is named after its attempt too: `<attempt>.git`.
                let owner = String(name.prefix { $0 != "." })
                // `drydock plan` has no attempt: its copies are named after the process itself.
                do {
                    let isInUse =
                        try active.contains(owner) || store.isRegistered(WorkerID(rawValue: owner))
                    // A process that tries its disk has no attempt either.
                    if isInUse || DiskImage.isHeld(owner, in: folder) { continue }
                    try await Blocking.run {
                        // Where its maker shared its mounts with this process.
                        DiskImage.unmount(folder.appending(name))
                        try TreeRemover.remove(name, in: directory)
                    }
                    logger.notice(
                        "removed what a dead worker left",
                        metadata: ["path": "\(folder)/\(name)"]
                    )
                } catch {
                    logger.error(
                        "could not be removed",
                        metadata: ["path": "\(folder)/\(name)", "error": "\(error)"]
                    )
                }
            }
        }
    }

    /// Whether the name is one that Drydock makes here; others are a file system's own, or somebody's by mistake.
    static func isOurs(_ name: String) -> Bool {
        let attempt = #/(a_[0-9a-z]{16}|plan-[0-9a-z]{1,13}|try-[0-9A-F-]{36})(\.git|\.image)?/#
        return name.wholeMatch(of: attempt) != nil
    }

    private func activeAttempts() async throws -> Set<String> {
        Set(try await store.leasedAttempts().map(\.rawValue))
    }
}
