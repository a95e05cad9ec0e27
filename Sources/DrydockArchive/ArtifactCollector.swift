// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
import SystemPackage

/// A file that becomes an artifact.
package struct CollectedFile: Hashable, Sendable {
    /// Relative, `/`-separated, UTF-8 without control characters, no `.` or `..`.
    package var path: String
    /// As the file system states it; what is read counts.
    package var size: ByteCount
    package var executable: Bool
}

/// What was collected.
package struct CollectionSummary: Hashable, Sendable {
    package var files = 0
    package var bytes: Int64 = 0
    /// Links that were passed over: to directories, and to nothing.
    ///
    /// The first few, for people.
    package var passedOver: [String] = []

    package init() {}
}

/// Takes what a build left in `$DRYDOCK_OUT`.
///
/// Only once nothing of the build is alive. The tree is hostile: it is read through the one walker, and what is stored is
/// what was read here; the caller hashes its own copy, never the file.
package enum ArtifactCollector {
    /// Reads a chunk into the buffer; returns its size, 0 at the end.
    package typealias ReadChunk = (inout [UInt8]) throws(Failure) -> Int

    /// Hands every regular file below `out` to `take`, in the order of the walk.
    ///
    /// A symbolic link to a file inside is handed over as that file's content under the link's name; one that leads out,
    /// a device, fifo or socket, and a name that is no clean text, throw `artifactUnsafe`; more than the limits,
    /// `artifactTooLarge`. What `take` throws is passed on. The closure must read a file within its call.
    package static func collect(
        from out: DirectoryHandle,
        limits: WalkLimits = WalkLimits(),
        _ take: (CollectedFile, ReadChunk) throws -> Void
    ) throws -> CollectionSummary {
        var collection = CollectingWalk(out: out, limits: limits)
        var walker = try walking { () throws(WalkError) in try TreeWalker(root: out, limits: limits) }
        while let entry = try walking({ () throws(WalkError) in try walker.next() }) {
            switch entry.kind {
            case .directory, .directoryEnd: continue
            case .file:
                let file = try walking { () throws(WalkError) in try walker.open(entry) }
                try collection.hand(over: file, entry, entry.status, to: take)
            case .symlink:
                try collection.follow(entry, to: take)
            case .special(let kind):
                throw Failure(.artifactUnsafe, .user, "the output '\(entry.path)' is a \(kind.rawValue)")
            }
        }
        return collection.summary
    }

    private static func walking<Result: ~Copyable>(
        _ body: () throws(WalkError) -> Result
    ) throws(Failure) -> Result {
        do throws(WalkError) {
            return try body()
        } catch {
            throw error.artifactFailure
        }
    }
}

/// The state of one collection.
private struct CollectingWalk {
    let out: DirectoryHandle
    let limits: WalkLimits
    var summary = CollectionSummary()

    init(out: DirectoryHandle, limits: WalkLimits) {
        self.out = out
        self.limits = limits
    }

    mutating func hand(
        over file: borrowing OwnedDescriptor,
        _ entry: TreeEntry,
        _ status: FileStatus,
        to take: (CollectedFile, ArtifactCollector.ReadChunk) throws -> Void
    ) throws {
        let collected = CollectedFile(
            path: try name(of: entry),
            size: ByteCount(status.size),
            executable: status.isExecutable
        )
        var bytes = summary.bytes
        try file.withDescriptor { descriptor in
            var size: Int64 = 0
            try take(collected) { buffer throws(Failure) in
                let count = try read(descriptor, into: &buffer, entry.path)
                size += Int64(count)
                bytes += Int64(count)
                if size > limits.fileSize.bytes {
                    let error = WalkError.fileTooLarge(
                        entry.path,
                        size: ByteCount(size),
                        limit: limits.fileSize
                    )
                    throw error.artifactFailure
                }
                if bytes > limits.bytes.bytes {
                    throw WalkError.tooManyBytes(limit: limits.bytes).artifactFailure
                }
                return count
            }
        }
        summary.bytes = bytes
        summary.files += 1
    }

    /// Hands over what a link leads to, by the kernel's word on where that is.
    mutating func follow(
        _ entry: TreeEntry,
        to take: (CollectedFile, ArtifactCollector.ReadChunk) throws -> Void
    ) throws {
        guard let file = try target(of: entry) else { return passOver(entry) }
        let status = try file.withDescriptor { descriptor in try fileStatus(of: descriptor) }
        switch status.kind {
        case .file: try hand(over: file, entry, status, to: take)
        case .directory: passOver(entry)
        case .symlink, .fifo, .socket, .characterDevice, .blockDevice, .unknown:
            throw Failure(
                .artifactUnsafe,
                .user,
                "the output '\(entry.path)' leads to a \(status.kind.rawValue)"
            )
        }
    }

    /// Opens what a link leads to; nil when that is nothing.
    private func target(of entry: TreeEntry) throws(Failure) -> OwnedDescriptor? {
        do throws(Errno) {
            return try out.openFileFollowingLinks(entry.path)
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw Failure(
                .artifactUnsafe,
                .user,
                "the output '\(entry.path)' is a symbolic link that leads out of the outputs",
                hint: "copy the file into $DRYDOCK_OUT, or make the link relative"
            )
        }
    }

    private mutating func passOver(_ entry: TreeEntry) {
        if summary.passedOver.count < 10 { summary.passedOver.append(entry.path.description) }
    }

    private func name(of entry: TreeEntry) throws(Failure) -> String {
        if let text = entry.path.text, !text.unicodeScalars.contains(where: { $0.properties.isControl }) {
            return text
        }
        throw Failure(
            .artifactUnsafe,
            .user,
            "the output '\(entry.path)' has a name that is no clean text",
            hint: "name outputs in UTF-8, without control characters"
        )
    }

    private func read(
        _ file: FileDescriptor,
        into buffer: inout [UInt8],
        _ path: TreePath
    ) throws(Failure) -> Int {
        do throws(Errno) {
            return try FileContents.read(file, into: &buffer)
        } catch {
            throw Failure(.internal, .platform, "reading the output '\(path)' failed: \(error)")
        }
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control }
}

extension WalkError {
    /// What it means when the tree is a build's outputs.
    fileprivate var artifactFailure: Failure {
        switch self {
        case .tooManyEntries(let limit): tooLarge("the outputs are more than \(limit) files and directories")
        case .tooManyBytes(let limit): tooLarge("the outputs have more than \(limit)")
        case .fileTooLarge(let path, let size, let limit):
            tooLarge("the output '\(path)' has \(size.bytes) bytes; at most \(limit) are kept")
        case .tooDeep(let path, let limit):
            tooLarge("the outputs are more than \(limit) directories deep at '\(path)'")
        case .tookTooLong(let limit): tooLarge("collecting the outputs took more than \(limit)")
        case .failed(let path, let errno):
            Failure(
                .artifactUnsafe,
                .user,
                "the output '\(path)' can not be taken: \(errno)",
                hint: "outputs are ordinary files that their owner may read"
            )
        }
    }

    private func tooLarge(_ message: String) -> Failure {
        Failure(
            .artifactTooLarge,
            .user,
            message,
            hint: "write only what is to be kept to $DRYDOCK_OUT"
        )
    }
}
