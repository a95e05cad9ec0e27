// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
package import SystemPackage

/// What came of one layer.
package struct LayerSummary: Codable, Hashable, Sendable {
    /// Regular files that were written, and their sizes' sum.
    package var files: Int
    package var bytes: ByteCount
    /// All entries, whiteouts included.
    package var entries: Int
    /// Devices and the like that were left out, and the first few of them.
    package var skipped: Int
    package var examples: [String]
    /// The digest of the layer's tar, as its image knows it (`diff_id`).
    package var content: Digest
}

/// Unpacks one layer of an image over the layers below it.
package enum LayerUnpacker {
    /// Applies `layer`, an open tar or tar.gz, to `directory`, where those below it were unpacked.
    ///
    /// Whiteouts take away first, then entries are placed; one of a name that is there replaces it, as the specification has it,
    /// a directory over a directory aside. Links stay as they stand, and are never followed: an entry behind one is refused.
    /// Modes become 0755 and 0644, owners this process, and devices are left out. Hard links are links. Throws
    /// `sourceInvalid` and `sourceTooLarge` for what is the layer's fault. Source: OCI image specification, layer.md.
    package static func unpack(
        layer: FileDescriptor,
        into directory: DirectoryHandle,
        caps: ArchiveCaps
    ) throws(Failure) -> LayerSummary {
        do throws(ArchiveProblem) {
            let size = try layerSize(layer)
            // Before anything is placed, and so only of the layers below, wherever in the tar the whiteouts stand.
            try applyWhiteouts(of: try stream(layer, size, caps).reader, below: directory, caps)
            let (reader, hash) = try stream(layer, size, caps)
            var writer = LayerWriter(
                root: directory,
                reader: reader,
                caps: caps,
                allowance: caps.allowance(archiveSize: size)
            )
            try writer.run()
            guard let content = hash.finish() else { throw .corrupt("it was read twice", entry: nil) }
            return writer.summary(content)
        } catch {
            throw error.layerFailure
        }
    }

    private static func applyWhiteouts(
        of reader: TarReader,
        below root: DirectoryHandle,
        _ caps: ArchiveCaps
    ) throws(ArchiveProblem) {
        let places = EntryPlaces(root: root, caps: caps)
        while let entry = try reader.next() {
            let path = try places.path(entry.nameBelowRoot, of: entry)
            try Whiteout(path, of: entry)?.apply(below: root, for: entry)
        }
    }

    private static func stream(
        _ layer: FileDescriptor,
        _ size: Int64,
        _ caps: ArchiveCaps
    ) throws(ArchiveProblem) -> (reader: TarReader, hash: HashingSource) {
        let whole = FileRange(layer, from: 0, to: size)
        let start = ByteReader(FileRange(layer, from: 0, to: size))
        // Room for the headers and padding between the files.
        let allowance = caps.allowance(archiveSize: size) + Int64(caps.entries) * 2_048
        let source: HashingSource
        switch try ArchiveFormat(firstBytes: try start.take(TarHeader.size)) {
        case .tar: source = HashingSource(whole)
        case .gzippedTar:
            source = HashingSource(try InflatingSource(whole, .gzip, allowance: allowance))
        case .zip: throw .unsupported("a zip archive")
        }
        return (TarReader(source, headers: caps.entries), source)
    }

    private static func layerSize(_ layer: FileDescriptor) throws(ArchiveProblem) -> Int64 {
        do throws(Errno) {
            let status = try fileStatus(of: layer)
            if status.kind != .file { throw .illegalSeek }
            return status.size
        } catch {
            throw .read(error)
        }
    }
}

extension ArchiveEntry {
    /// Its name without the `/` that some tools write in front: all of it lies below the root in any case.
    var nameBelowRoot: ArraySlice<UInt8> { name.drop { $0 == UInt8(ascii: "/") } }
}

extension ArchiveProblem {
    /// The same about a layer of an image.
    fileprivate var layerFailure: Failure {
        var failure = failure
        failure.message = failure.message.replacing("the archive", with: "the layer")
            .replacing("the source", with: "the layer")
        switch self {
        case .empty, .notAnArchive, .unsupported:
            failure.hint =
                "layers are read as tar and tar.gz: `skopeo copy --dest-compress-format gzip` writes others anew"
        case .tooLarge: failure.hint = "import a smaller image"
        default: failure.hint = failure.fault == .user ? "write the image anew" : failure.hint
        }
        return failure
    }
}
