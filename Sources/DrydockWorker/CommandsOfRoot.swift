// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import SystemPackage

/// Which commands steps find in a root file system.
struct CommandsOfRoot {
    let name: String
    /// `PATH` there.
    let path: String
    private let root: DirectoryHandle

    init(_ held: HeldRoot) throws {
        name = "sha256:\(held.digest.hex.prefix(12))…"
        path = StepEnvironment.path(of: held)
        root = try held.open()
    }

    /// Whether there is a file of that name on its `PATH`.
    func has(_ command: String) -> Bool {
        if command.contains("/") { return isThere(command) }
        return path.split(separator: ":").contains { isThere("\($0)/\(command)") }
    }

    private func isThere(_ path: String) -> Bool {
        let bytes = path.utf8.drop { $0 == UInt8(ascii: "/") }
        guard let path = try? TreePath(parsing: bytes), path != .root else { return false }
        do throws(Errno) {
            return try root.openFileFollowingLinks(path).withDescriptor { file throws(Errno) in
                try fileStatus(of: file).isExecutable
            }
        } catch .improperLink {
            // A link to an absolute path, which is one inside: Debian's alternatives are.
            return true
        } catch {
            return false
        }
    }
}
