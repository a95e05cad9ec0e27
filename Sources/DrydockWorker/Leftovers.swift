// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import FoundationEssentials
internal import Logging
internal import SystemPackage

/// What attempts of dead workers left on the disk.
struct Leftovers {
    let shop: Workshop

    /// Removes workspaces and snapshots whose attempt no longer runs.
    ///
    /// They are named by attempt.
    func remove() async throws {
        for folder in [shop.options.work, shop.options.snapshots] {
            // The names come first: what is made after that belongs to an attempt that runs.
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
            let active = try await activeAttempts()
            let directory = try DirectoryHandle(path: folder)
            // A fetch's scratch is named after its attempt too: `<attempt>.git`.
            for name in names where !active.contains(String(name.prefix { $0 != "." })) {
                do {
                    try TreeRemover.remove(name, in: directory)
                    shop.logger.notice(
                        "removed what a dead worker left",
                        metadata: ["path": "\(folder)/\(name)"]
                    )
                } catch {
                    shop.logger.error(
                        "could not be removed",
                        metadata: ["path": "\(folder)/\(name)", "error": "\(error)"]
                    )
                }
            }
        }
    }

    private func activeAttempts() async throws -> Set<String> {
        Set(try await shop.store.leasedAttempts().map(\.rawValue))
    }
}
