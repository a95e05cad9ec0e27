// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import SystemPackage

/// `mke2fs`: where it may lie, and how long it may take.
package struct ImageFormatter: Sendable {
    package var folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
    /// For its 10 ms, on a machine that is busy.
    package var patience = Duration.seconds(20)

    /// Spelled out, so that the machine's own defaults change nothing, and kernel 4.14 takes it: no journal, nothing to grow.
    private static let features =
        "none,dir_index,filetype,extent,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,uninit_bg"

    package init() {}

    /// Makes a file system, with room for so many `inodes`, of what `file` holds, which has its size already.
    func format(_ file: borrowing OwnedDescriptor, inodes: Int64) throws(DiskImageError) {
        guard let folder = folders.first(where: { access($0 + "/mke2fs", X_OK) == 0 }) else {
            throw .noFormatter(folders)
        }
        let program = FilePath(folder + "/mke2fs")
        let arguments = [
            program.string, "-q", "-F", "-O", Self.features, "-E",
            "lazy_itable_init=1,nodiscard,root_owner=0:0",
            "-b", "\(ImageTemplate.block)", "-I", "\(ImageTemplate.inode)", "-m", "0", "-N", "\(inodes)",
            "/proc/self/fd/3",
        ]
        let ending: ChildProcess.Ending
        let isLate: Bool
        do throws(Errno) {
            let nothing = try OwnedDescriptor.null()
            let child = try ChildProcess.spawn(
                program,
                arguments: arguments,
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "MKE2FS_CONFIG=/dev/null"],
                inherited: [
                    .init(nothing, as: 0), .init(nothing, as: 1), .init(nothing, as: 2), .init(file, as: 3),
                ]
            )
            isLate = try !child.ends(within: patience)
            if isLate { child.killGroup() }
            ending = try child.waitBlocking()
        } catch {
            throw .call("mke2fs", error)
        }
        guard !isLate else { throw .formatterHangs(patience) }
        guard ending.status == .exited(0) else { throw .notFormatted("\(ending.status)") }
    }
}
