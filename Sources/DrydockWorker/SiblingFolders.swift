// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import SystemPackage

/// Folders beside each other in a directory that others may write to, each with the disk of one workspace.
struct SiblingFolders {
    private let parent: FilePath
    private let prefix: String

    init(of folder: FilePath, prefix: String) {
        parent = folder.removingLastComponent()
        self.prefix = prefix
    }

    /// Waits for the lock that all of them share.
    func lock() throws(Failure) -> DiskLock {
        // A name that none of the folders has.
        let file = parent.appending(".\(prefix)lock")
        do {
            return try DiskLock(file: file)
        } catch {
            throw Failure(
                .sandboxUnavailable,
                .platform,
                "\(file) can not be locked: \(error)",
                hint: "remove it, if it is somebody else's, or set TMPDIR to a directory of your own"
            )
        }
    }

    /// What the images in all of them may still take from the disk, and how many those are.
    func claims() throws(Errno) -> (bytes: Int64, images: Int) {
        try DiskImage.claims(inFolders: prefix, of: parent)
    }
}
