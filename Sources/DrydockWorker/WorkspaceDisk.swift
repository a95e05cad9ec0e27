// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
internal import Synchronization
package import SystemPackage

/// Makes the disks of workspaces: an image each, of the size that the build may have, as far as there is room for all of
/// them together.
///
/// Room is what is free, less a floor that stays for everybody else, less what the images of others may still take, those of
/// other processes included.
package final class WorkspaceDisk: Sendable {
    /// Sizes whose templates are kept; more than an operator's few limits are a project's whim.
    private static let mostTemplates = 8
    /// Less than this, or a sixteenth of what was asked for, is no room to build in.
    private static let least: Int64 = 16 << 20
    /// Beyond this an ext4 needs features that cost small ones something.
    private static let most: Int64 = 8 << 40

    private let templates = Mutex<[Int64: ImageTemplate]>([:])

    /// Whose the folder of the images is.
    package enum Folder: Sendable {
        /// That of several processes, which nobody else locks: who finds no room waits for it.
        case shared
        /// That of one workspace, beside others whose names begin with this, whose images count too.
        ///
        /// Nobody waits for another one's end, which may be far: who finds less room gets less.
        case own(prefix: String)
    }

    private let folderKind: Folder

    package init(_ folder: Folder = .shared) { folderKind = folder }

    /// What came of asking for a disk.
    package enum Answer: Sendable {
        /// `image`, for `capacity` bytes: fewer than were asked for where the disk has no more.
        case made(DiskImage)
        /// There will be room when another build has ended.
        case wait
    }

    /// Makes the image `name` in `folder`, mounted, for `bytes` of content.
    ///
    /// Blocks. Throws a failure of the platform when there is no room, or the image can not be made.
    package func make(_ name: String, in folder: FilePath, holding bytes: ByteCount) throws(Failure) -> Answer
    {
        do {
            let image: DiskImage
            do {
                // Two that ask at one time must not be promised the same room.
                let lock = try lock(folder)
                defer { lock.release() }
                guard let capacity = try capacity(in: folder, wanted: bytes.bytes) else { return .wait }
                image = try DiskImage(name, in: folder, of: template(capacity), capacity: capacity)
            }
            try image.mount()
            return .made(image)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(
                .sandboxUnavailable,
                .platform,
                "the build's disk could not be made: \(error)",
                hint: "`drydock doctor` says whether disk images are possible here"
            )
        }
    }

    private func lock(_ folder: FilePath) throws -> DiskLock {
        switch folderKind {
        case .shared: try DiskLock(directory: folder)
        case .own(let prefix): try SiblingFolders(of: folder, prefix: prefix).lock()
        }
    }

    private func claims(in folder: FilePath) throws -> (bytes: Int64, images: Int) {
        switch folderKind {
        case .shared: try DiskImage.claims(in: folder)
        case .own(let prefix): try SiblingFolders(of: folder, prefix: prefix).claims()
        }
    }

    /// How many bytes of content the next image may hold; nil = ask again when another one is gone.
    private func capacity(in folder: FilePath, wanted: Int64) throws -> Int64? {
        let free = try DirectoryHandle(path: folder).freeSpace()
        let claims = try claims(in: folder)
        let room = free.available - DiskWatch.floor(of: free.total) - claims.bytes
        let bytes = min(wanted, Self.most)
        if ImageTemplate.size(holding: bytes) <= room { return bytes }
        if claims.images > 0, case .shared = folderKind { return nil }
        let fitting = ImageTemplate.contents(of: room)
        guard fitting >= max(Self.least, bytes / 16) else {
            throw Failure(
                .diskFull,
                .platform,
                "the disk that builds are made on has no room for one of \(ByteCount(wanted)): "
                    + "\(max(0, room) >> 20) MiB can be given away of the \(free.available >> 20) MiB that are free",
                hint: "free some of it, or give Drydock's data directory a larger one"
            )
        }
        return fitting
    }

    private func template(_ capacity: Int64) throws(DiskImageError) -> ImageTemplate {
        if let known = templates.withLock({ $0[capacity] }) { return known }
        let made = try ImageTemplate(holding: capacity)
        templates.withLock { templates in
            if templates.count >= Self.mostTemplates { templates.removeAll() }
            templates[capacity] = made
        }
        return made
    }
}
