// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// Copies folders of files, no deeper: how journals lie, and how blobs do.
struct BackupCopy {
    private(set) var files = 0
    private(set) var bytes: Int64 = 0

    /// Copies every folder of `source` into `target`, which it makes.
    ///
    /// A file that grows is copied as far as it is; one that goes meanwhile is left out, and so is what is no folder, or no
    /// file in one.
    mutating func copyFolders(of source: FilePath, to target: FilePath) throws(StoreError) {
        try DataDirectory.make(target)
        for folder in try DataDirectory.folders(in: source) {
            let (from, to) = (source.appending(folder), target.appending(folder))
            try DataDirectory.make(to)
            for file in try DataDirectory.names(in: from)
            where (try? fileStatus(at: from.appending(file)))?.kind == .file {
                try copyFile(from.appending(file), to.appending(file))
            }
        }
    }

    private mutating func copyFile(_ source: FilePath, _ target: FilePath) throws(StoreError) {
        do throws(Errno) {
            let from = try OwnedDescriptor(opening: source, O_RDONLY | O_NOFOLLOW)
            let to = try OwnedDescriptor(opening: target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
            bytes += try from.withDescriptor { from throws(Errno) in
                try to.withDescriptor { to throws(Errno) in
                    let bytes = try FileContents.copy(from: from, to: to, atMost: .max)
                    try FileContents.setPermissions(to, try fileStatus(of: from).permissions)
                    return bytes
                }
            }
            files += 1
        } catch .noSuchFileOrDirectory where access(source.string, F_OK) != 0 {
            // Somebody took it away by hand: nothing of ours does meanwhile.
        } catch {
            throw .system("copying", target, error)
        }
    }
}
