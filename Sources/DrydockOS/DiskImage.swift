// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
import Glibc
package import SystemPackage

/// A file system of a fixed size in a sparse file, mounted: whatever is done inside, it takes no more of the disk than that.
///
/// ```
/// <folder>/<name>         where it is mounted
/// <folder>/<name>.image   the file; locked (flock) as long as its maker lives
/// ```
package final class DiskImage: Sendable {
    package static let suffix = ".image"

    package let mountPoint: FilePath
    /// Bytes of content that fit.
    package let capacity: Int64
    private let file: FilePath
    private let lock: FileDescriptor

    /// Makes the image `name` in `folder`, a directory that only this user may enter.
    ///
    /// `capacity`: what `template` was made for. After an error nothing of it is left.
    package init(
        _ name: String,
        in folder: FilePath,
        of template: ImageTemplate,
        capacity: Int64
    ) throws(DiskImageError) {
        mountPoint = folder.appending(name)
        file = folder.appending(name + Self.suffix)
        self.capacity = capacity
        lock = try Self.make(file)
        do throws(DiskImageError) {
            try template.write(to: lock)
        } catch {
            unlink(file.string)
            try? lock.close()  // the first error is the one to tell
            throw error
        }
    }

    /// Makes the file, locked: what has its name is from then on not taken for a dead process's.
    ///
    /// `named` is called when it has its name and not yet the lock.
    static func make(
        _ file: FilePath,
        named: () -> Void = {}
    ) throws(DiskImageError) -> FileDescriptor {
        while true {
            let image: FileDescriptor
            do throws(Errno) {
                image = try OwnedDescriptor(opening: file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW).release()
            } catch {
                throw .call("open", error)
            }
            named()
            do throws(Errno) {
                // Waits for who just looks whether it is held, or clears up what dead processes left.
                try image.lock()
                if try image.isNamed(file) { return image }
            } catch {
                unlink(file.string)
                try? image.close()  // the first error is the one to tell
                throw .call("flock", error)
            }
            // It was cleared up in this moment.
            try? image.close()  // nothing was written
        }
    }

    /// Mounts it; after an error nothing of it is left.
    package func mount() throws(DiskImageError) {
        do throws(DiskImageError) {
            // Of its own: the device keeps the open file, and with it the lock, beyond this process.
            let image = try opened()
            var device: Int32 = -1
            var number: Int32 = -1
            let attached = image.withDescriptor { cos_loop_attach($0.rawValue, &device, &number) }
            try ImageTemplate.check("/dev/loop-control", attached)
            // Without this descriptor or a mount the device is free again.
            defer { close(device) }
            try ImageTemplate.check("mkdir", mkdir(mountPoint.string, 0o711) == 0 ? 0 : -errno)
            try ImageTemplate.check("mount", cos_mount_loop(number, mountPoint.string))
        } catch {
            try? remove()  // the first error is the one to tell
            throw error
        }
    }

    private func opened() throws(DiskImageError) -> OwnedDescriptor {
        do throws(Errno) {
            return try OwnedDescriptor(opening: file, O_RDWR | O_NOFOLLOW)
        } catch {
            throw .call("open", error)
        }
    }

    /// Unmounts and removes it with all that is in it.
    package func remove() throws(Errno) {
        Self.unmount(mountPoint)
        // The file goes last: without it the directory would be taken for a dead process's.
        defer { unlink(file.string) }
        guard rmdir(mountPoint.string) == 0 || errno == ENOENT else { throw Errno.current }
    }

    deinit { try? lock.close() }  // harmless: nothing is written through it that anybody waits for

    /// Takes away what is mounted at `path`, if anything is.
    package static func unmount(_ path: FilePath) {
        // Not a mount point, not there, or not for this user to undo: what is removed next says so.
        _ = cos_unmount(path.string)
    }

    /// Runs `body`, which clears up what the image `name` in `folder` left; nil, with nothing done, where its maker lives.
    ///
    /// Meanwhile nobody comes to hold it: a maker that has just named it makes it anew afterwards. Nil also where somebody
    /// else looks at this moment, and an error where it can not be told who holds it: what lives is never cleared up.
    package static func unlessHeld<Result>(
        _ name: String,
        in folder: FilePath,
        _ body: () throws -> Result
    ) throws -> Result? {
        let file = folder.appending(name + suffix)
        guard let image = try opened(file) else { return try body() }
        return try image.withDescriptor { try $0.tryLock() ? try body() : nil }
    }

    /// What the images in `folder` whose makers live may still take from the disk, and how many those are.
    package static func claims(in folder: FilePath) throws(Errno) -> (bytes: Int64, images: Int) {
        var bytes: Int64 = 0
        var images = 0
        let reader = DirectoryReader()
        let directory = try DirectoryHandle(path: folder)
        while case let names = try reader.nextNames(of: directory), !names.isEmpty {
            for name in names where name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
                let name = String(decoding: name, as: UTF8.self)
                guard isHeld(folder.appending(name)),
                    // Gone meanwhile: it takes nothing.
                    let status = try? directory.status(of: Array(name.utf8)[...])
                else { continue }
                bytes += max(0, status.size - status.allocated)
                images += 1
            }
        }
        return (bytes, images)
    }

    /// The same of all folders in `parent` whose names begin with `prefix` and that are this user's, who alone takes them
    /// away: what others put there claims nothing.
    package static func claims(
        inFolders prefix: String,
        of parent: FilePath
    ) throws(Errno) -> (bytes: Int64, images: Int) {
        var sum: (bytes: Int64, images: Int) = (0, 0)
        let reader = DirectoryReader()
        let directory = try DirectoryHandle(path: parent)
        while case let names = try reader.nextNames(of: directory), !names.isEmpty {
            for name in names where name.starts(with: prefix.utf8) {
                let folder = parent.appending(String(decoding: name, as: UTF8.self))
                var status = stat()
                guard lstat(folder.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
                    status.st_uid == geteuid(),
                    // Gone meanwhile: it takes nothing.
                    let claims = try? claims(in: folder)
                else { continue }
                sum.bytes += claims.bytes
                sum.images += claims.images
            }
        }
        return sum
    }

    /// Where that can not be told it is.
    private static func isHeld(_ file: FilePath) -> Bool {
        do throws(Errno) {
            guard let image = try opened(file) else { return false }
            return try image.withDescriptor { file throws(Errno) in try !file.tryLock(shared: true) }
        } catch {
            return true
        }
    }

    /// Nil when there is no such file.
    private static func opened(_ file: FilePath) throws(Errno) -> OwnedDescriptor? {
        do throws(Errno) {
            return try OwnedDescriptor(opening: file, O_RDONLY | O_NOFOLLOW)
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }
}
