// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockOS
internal import FoundationEssentials
package import SystemPackage

/// Finds out whether workspaces can have disks of their own, by making one.
package enum DiskImageCheck {
    static let name = "disk-limit"

    /// Why they can not, in `folder`, which must be this user's alone; nil when they can.
    ///
    /// Takes about 30 ms.
    package static func tryOut(in folder: FilePath) -> DiskImageError? {
        do throws(DiskImageError) {
            let capacity: Int64 = 1 << 20
            let template = try ImageTemplate(holding: capacity)
            let image = try DiskImage("try-\(UUID())", in: folder, of: template, capacity: capacity)
            try image.mount()
            do throws(Errno) {
                try image.remove()
            } catch {
                throw .call("umount", error)
            }
            return nil
        } catch {
            return error
        }
    }

    static func report(in folder: FilePath?) -> DoctorReport.Check {
        let remedy = """
            run as root where loop devices and mounting are allowed, with mke2fs (e2fsprogs), or give the data directory a \
            file system of its own
            """
        guard let problem = folder.map(tryOut) ?? tryOutAnywhere() else {
            return .init(name: name, isOK: true, detail: "kept by a file system of its own for each build")
        }
        return .init(
            name: name,
            isOK: false,
            detail: "watched, not enforced: a build can pass it until the next look (\(problem))",
            remedy: remedy
        )
    }

    private static func tryOutAnywhere() -> DiskImageError? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "drydock-doctor-\(UUID())")
        do {
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            return .call("mkdir", .permissionDenied)
        }
        defer { try? FileManager.default.removeItem(at: folder) }  // empty, or not removable by anybody here
        return tryOut(in: FilePath(folder.path))
    }
}
