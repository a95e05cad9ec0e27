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

    /// Removes workspaces and snapshots whose attempt is under nobody's lease, and whose maker does not live.
    ///
    /// They are named by attempt.
    func remove() async throws {
        for folder in folders {
            // The names come first: what is made after that belongs to an attempt that runs.
            let (directory, names) = try await Blocking.run {
                let directory = try DirectoryHandle(path: folder)
                return (directory, try directory.sortedNames())
            }
            let active = try await activeAttempts()
            for name in names where Self.isOurs(name) {
                // A fetch's scratch is named after its attempt too: `<attempt>.git`.
                let owner = String(name.prefix { $0 != "." })
                do {
                    // An attempt that lost its lease may still be at work, and `drydock plan` has none; both show their life.
                    if active.contains(owner) { continue }
                    if try await store.isRegistered(WorkerID(rawValue: owner)) { continue }
                    let wasThere = try await Blocking.run {
                        try Self.remove(name, of: owner, in: directory, at: folder)
                    }
                    if !wasThere { continue }
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

    /// Whether there was something to remove; its owner may have done so since its name was read.
    private static func remove(
        _ name: String,
        of owner: String,
        in directory: DirectoryHandle,
        at folder: FilePath
    ) throws -> Bool {
        // A process that tries its disk has neither an attempt nor a sign of life, but holds the image.
        let wasThere = try DiskImage.unlessHeld(owner, in: folder) {
            do throws(Errno) {
                _ = try directory.status(of: Array(name.utf8)[...])
            } catch .noSuchFileOrDirectory {
                return false
            }
            // Where its maker shared its mounts with this process.
            DiskImage.unmount(folder.appending(name))
            try TreeRemover.remove(name, in: directory)
            return true
        }
        return wasThere ?? false
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
