// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
import DrydockProtocol
import Glibc
import SystemPackage

/// An OCI image layout on disk: read, checked against its digests, and nothing of it trusted.
///
/// Source: OCI image specification, image-layout.md.
package struct ImageLayout: Sendable {
    private static let largestDocument = 4 << 20
    private static let largestLayer = ByteCount.gibibytes(16)
    /// Indexes in each other, and all that are read.
    private static let deepest = 3
    private static let mostIndexes = 32
    private static let bounds = JSONBounds(depth: 32, fields: 32_768, elements: 32_768)

    private let root: DirectoryHandle

    /// Nil where `directory` is no such layout.
    package init?(_ directory: DirectoryHandle) throws(Failure) {
        root = directory
        guard Self.has("oci-layout", .file, in: directory) else {
            if Self.has("manifest.json", .file, in: directory), !Self.has("etc", .directory, in: directory) {
                throw Self.problem(
                    "it looks like what `docker save` of an older version writes, which is not read here",
                    hint: "`skopeo copy docker-archive:FILE oci:PATH` makes an OCI image layout of it"
                )
            }
            return nil
        }
        let marker = try document("oci-layout", limit: 4_096) { fields throws(FieldProblem) in
            try fields.required("imageLayoutVersion").text()
        }
        guard marker.hasPrefix("1.") else {
            throw Self.problem("its image layout is of version \(ImageText.shown(marker)); 1.0.0 is read")
        }
    }

    /// What to unpack of the image for this machine, the one called `tag` where there are several.
    package func plan(tag: String? = nil) throws(Failure) -> ImagePlan {
        let descriptor = try choose(tag: tag)
        let manifest = try blob(descriptor, "the manifest") { field throws(FieldProblem) in
            try ImageManifest(field)
        }
        let config = try blob(manifest.config, "the image's configuration") { field throws(FieldProblem) in
            try ImageConfig(field)
        }
        guard config.platform == .own else {
            throw Self.problem(
                "the image is for \(config.platform), and this machine is \(ImagePlatform.own)",
                hint: "copy the image for this machine"
            )
        }
        guard config.contents.count == manifest.layers.count else {
            throw Self.problem(
                "its manifest has \(manifest.layers.count) layers, its configuration \(config.contents.count)"
            )
        }
        let layers = zip(manifest.layers, config.contents).map { layer, content in
            ImageLayer(digest: layer.digest, size: ByteCount(layer.size), content: content)
        }
        return ImagePlan(manifest: descriptor.digest, layers: layers, environment: config.environment)
    }

    /// A layer's blob, whose digest was found to be right.
    package func open(_ layer: ImageLayer) throws(Failure) -> OwnedDescriptor {
        if layer.size > Self.largestLayer {
            throw Failure(
                .sourceTooLarge,
                .user,
                "the layer \(layer.digest) has \(layer.size); \(Self.largestLayer) are read at most"
            )
        }
        return try openBlob(layer.digest, size: layer.size.bytes, "the layer")
    }
}

// MARK: Which image

extension ImageLayout {
    /// The manifest for this machine.
    private func choose(tag: String?) throws(Failure) -> ImageDescriptor {
        var tops = try document("index.json", limit: Self.largestDocument, Self.manifests)
        let tags = tops.compactMap(\.tag)
        if let tag { tops = tops.filter { $0.tag == tag } }
        var seen: [ImagePlatform] = []
        var found: [ImageDescriptor] = []
        var budget = Self.mostIndexes
        for top in tops {
            let manifests = try flattened(top, depth: 1, &budget)
            seen += manifests.compactMap(\.platform)
            guard let fit = manifests.first(where: { $0.platform == .own || $0.platform == nil }) else {
                continue
            }
            if !found.contains(where: { $0.digest == fit.digest }) { found.append(fit) }
        }
        if found.count == 1 { return found[0] }
        let names = Set(tags).sorted().prefix(10).map(ImageText.shown).joined(separator: ", ")
        if found.count > 1 {
            throw Self.problem(
                "it holds \(found.count) images",
                hint: "name one with --tag" + (names.isEmpty ? "" : ": \(names)")
            )
        }
        if let tag, tops.isEmpty {
            throw Self.problem(
                "it holds no image that is called '\(ImageText.shown(tag))'",
                hint: names.isEmpty ? "leave --tag out: no image there has a name" : "there are: \(names)"
            )
        }
        let platforms = Set(seen.map(\.description)).sorted().prefix(10).joined(separator: ", ")
        throw Self.problem(
            "it holds no image for \(ImagePlatform.own)"
                + (platforms.isEmpty ? "" : ", only for \(platforms)"),
            hint: "copy the image for this machine"
        )
    }

    /// The manifests that a descriptor leads to.
    private func flattened(
        _ descriptor: ImageDescriptor,
        depth: Int,
        _ budget: inout Int
    ) throws(Failure) -> [ImageDescriptor] {
        guard descriptor.isIndex else { return descriptor.isManifest ? [descriptor] : [] }
        budget -= 1
        guard depth <= Self.deepest, budget >= 0 else {
            throw Self.problem(
                "its indexes lead to too many others, or lie too deep",
                hint: "\(Self.mostIndexes) are read, \(Self.deepest) in each other"
            )
        }
        let inner = try blob(descriptor, "the index") { field throws(FieldProblem) in
            try Self.manifests(try field.fields())
        }
        var all: [ImageDescriptor] = []
        for next in inner { all += try flattened(next, depth: depth + 1, &budget) }
        return all
    }

    private static func manifests(_ fields: Fields) throws(FieldProblem) -> [ImageDescriptor] {
        try fields.required("manifests").list { field throws(FieldProblem) in try ImageDescriptor(field) }
    }
}

// MARK: Reading

extension ImageLayout {
    private static func has(_ name: String, _ kind: FileKind, in directory: DirectoryHandle) -> Bool {
        (try? directory.status(of: Array(name.utf8)[...]))?.kind == kind
    }

    private static func problem(_ message: String, hint: String? = nil) -> Failure {
        Failure(.sourceInvalid, .user, message, hint: hint)
    }

    /// Reads a file at the layout's top.
    private func document<Value>(
        _ name: String,
        limit: Int,
        _ read: (Fields) throws(FieldProblem) -> Value
    ) throws(Failure) -> Value {
        let bytes: [UInt8]
        do throws(Errno) {
            let file = try root.openFile(TreePath.root.appending(name.utf8), .read)
            bytes = try file.withDescriptor { file throws(Errno) in
                guard try fileStatus(of: file).kind == .file else { throw .invalidArgument }
                return try FileContents.all(of: file, atMost: limit)
            }
        } catch .fileTooLarge {
            throw Self.problem("its \(name) has more than \(limit) bytes")
        } catch {
            throw Self.problem("its \(name) can not be read: \(error)")
        }
        return try Self.parse(bytes, name) { field throws(FieldProblem) in try read(try field.fields()) }
    }

    /// Reads a blob that is JSON.
    private func blob<Value>(
        _ descriptor: ImageDescriptor,
        _ what: String,
        _ read: (Field) throws(FieldProblem) -> Value
    ) throws(Failure) -> Value {
        guard descriptor.size <= Self.largestDocument else {
            throw Self.problem(
                "\(what) \(descriptor.digest) has \(descriptor.size) bytes; \(Self.largestDocument) are read"
            )
        }
        let file = try openBlob(descriptor.digest, size: descriptor.size, what)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try file.withDescriptor { file throws(Errno) in
                try FileContents.read(file, from: 0, count: Int(descriptor.size))
            }
        } catch {
            throw Self.problem("\(what) \(descriptor.digest) can not be read: \(error)")
        }
        return try Self.parse(bytes, "\(what) \(descriptor.digest)", read)
    }

    private static func parse<Value>(
        _ bytes: [UInt8],
        _ title: String,
        _ read: (Field) throws(FieldProblem) -> Value
    ) throws(Failure) -> Value {
        let json: JSON
        do throws(MalformedJSON) {
            json = try BoundedJSONReader.read(bytes, bounds: bounds)
        } catch {
            throw Self.problem("\(title) is not JSON: \(error.reason) (byte \(error.offset))")
        }
        do throws(FieldProblem) {
            return try read(Field(json, title, .message))
        } catch {
            throw Self.problem("\(title): \(error.message)", hint: error.hint)
        }
    }

    /// Opens a blob, and reads all of it once: its size and digest have to be right.
    private func openBlob(_ digest: Digest, size: Int64, _ what: String) throws(Failure) -> OwnedDescriptor {
        let path = TreePath.root.appending("blobs".utf8).appending("sha256".utf8).appending(digest.hex.utf8)
        do throws(Errno) {
            let file = try root.openFile(path, .read)
            let isRight = try file.withDescriptor { file throws(Errno) in
                let status = try fileStatus(of: file)
                guard status.kind == .file, status.size == size else { return false }
                return try SHA256Hasher.digest(ofContent: file) == digest
            }
            if isRight { return file }
        } catch .noSuchFileOrDirectory {
            throw Self.problem("\(what) \(digest) is missing in blobs/sha256", hint: "copy the image again")
        } catch .tooManySymbolicLinkLevels {
            throw Self.problem("\(what) \(digest) is a symbolic link", hint: "copy the blob itself there")
        } catch {
            throw Self.problem("\(what) \(digest) can not be read: \(error)")
        }
        throw Self.problem(
            "\(what) \(digest) is damaged: it has another size or digest than the image says",
            hint: "copy the image again"
        )
    }
}

extension SHA256Hasher {
    /// The digest of an open file, from its position, which is at the start again then.
    fileprivate static func digest(ofContent file: FileDescriptor) throws(Errno) -> Digest {
        var hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = try FileContents.read(file, into: &buffer), count > 0 {
            hasher.update(buffer[..<count])
        }
        if lseek(file.rawValue, 0, SEEK_SET) != 0 { throw Errno.current }
        return hasher.finish()
    }
}
