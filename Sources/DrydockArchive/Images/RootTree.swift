// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
import Glibc
package import SystemPackage

/// The tree of a root file system that is imported.
package enum RootTree {
    /// What it may hold.
    package static var caps: ArchiveCaps { .rootFileSystem }

    private static var limits: WalkLimits {
        WalkLimits(
            entries: caps.entries,
            bytes: caps.bytes,
            fileSize: caps.fileSize,
            depth: caps.depth,
            time: .seconds(3_600)
        )
    }

    /// Copies the tree at `path` into `directory`, an empty one, links as they stand.
    ///
    /// Devices, fifos and sockets are left out; returns how many, and the first few. What everybody reads later becomes mode
    /// 0755 or 0644. Throws `sourceInvalid` or `sourceTooLarge`, with the path in question.
    package static func copy(
        _ path: FilePath,
        into directory: DirectoryHandle
    ) throws(Failure) -> (Int, [String]) {
        let source: DirectoryHandle
        do throws(Errno) {
            source = try DirectoryHandle(path: path)
        } catch {
            throw Failure(.sourceInvalid, .user, "it can not be opened: \(error)")
        }
        var options = CopyOptions(limits: limits, unfit: .leaveOut)
        options.links = .all
        do throws(CopyError) {
            let summary = try TreeCopier.copy(from: source, into: directory, options)
            return (summary.leftOut, Array(summary.examplesLeftOut.prefix(5)))
        } catch {
            throw error.rootFailure
        }
    }

    /// Makes everything in `directory` this process's own, and works out what tells it from every other one.
    ///
    /// SHA-256 over `drydock-root 1\n`, the tree's digest (`SnapshotDigest`) and a line for each variable, sorted, as
    /// `LENGTH:NAME=VALUE\n`.
    package static func seal(
        _ directory: DirectoryHandle,
        _ environment: [String: String]
    ) throws(Failure) -> (digest: Digest, files: Int, size: ByteCount) {
        let (files, size) = try own(directory)
        var hasher = SHA256Hasher()
        hasher.update("drydock-root 1\n\(try SnapshotDigest.digest(of: directory, limits: limits))\n".utf8)
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            let line = "\(name)=\(value)"
            hasher.update("\(line.utf8.count):\(line)\n".utf8)
        }
        return (hasher.finish(), files, size)
    }

    private static func own(_ directory: DirectoryHandle) throws(Failure) -> (files: Int, size: ByteCount) {
        let owner = FileOwner(user: geteuid(), group: getegid())
        var files = 0
        var size: Int64 = 0
        do throws(WalkError) {
            try owning(.root) { () throws(Errno) in
                try directory.withDescriptor { file throws(Errno) in
                    try FileContents.setOwner(file, owner)
                }
            }
            var walker = try TreeWalker(root: directory, limits: limits)
            while let entry = try walker.next() {
                if entry.kind == .directoryEnd { continue }
                if entry.kind == .file {
                    files += 1
                    size += entry.status.size
                }
                guard entry.status.owner != owner, let place = walker.directory else { continue }
                try owning(entry.path) { () throws(Errno) in
                    if entry.kind == .directory {
                        try place.withDescriptor { file throws(Errno) in
                            try FileContents.setOwner(file, owner)
                        }
                    } else {
                        try place.setOwner(of: entry.path.name, owner)
                    }
                }
            }
        } catch {
            throw CopyError.walk(error).rootFailure
        }
        return (files, ByteCount(size))
    }

    private static func owning(
        _ path: TreePath,
        _ body: () throws(Errno) -> Void
    ) throws(WalkError) {
        do throws(Errno) { try body() } catch { throw .failed(path, error) }
    }
}

extension CopyError {
    /// What it means when the tree is a root file system.
    fileprivate var rootFailure: Failure {
        var failure = sourceFailure
        failure.message = failure.message.replacing("of the source", with: "of the root file system")
            .replacing("the source", with: "the root file system")
        switch self {
        case .walk(.failed(_, .improperLink)):
            failure.hint = "unmount it, or copy the tree without it (`cp --archive --one-file-system`)"
        case .walk(.failed(_, .permissionDenied)): failure.hint = "import it as root, or as who may read it"
        case .walk: failure.hint = "leave out what builds do not need"
        default: break
        }
        return failure
    }
}
