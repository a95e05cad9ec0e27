// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// A reference from one part of an image to another.
///
/// Source: OCI image specification, descriptor.md.
struct ImageDescriptor: FieldReadable, Hashable {
    var mediaType: String
    var digest: Digest
    var size: Int64
    /// Nil where nobody says.
    var platform: ImagePlatform?
    /// What it is called in this layout.
    var tag: String?

    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        mediaType = try fields["mediaType"]?.text(limit: 255) ?? ""
        digest = try Digest(ofBlob: try fields.required("digest"))
        size = Int64(try fields.required("size").integer(in: 0...Int.max))
        platform = try fields.optional("platform")
        let annotations = try fields["annotations"]?.fields()
        tag = try annotations?["org.opencontainers.image.ref.name"]?.text(limit: 1_024)
    }

    /// Whether it is a list of other manifests, for machines of several kinds.
    var isIndex: Bool {
        [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
        ].contains(mediaType)
    }

    /// Whether it is an image; one that does not say is taken for one, and read as such.
    var isManifest: Bool {
        [
            "", "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        ].contains(mediaType)
    }

    /// Why a layer of this type is not read; nil for one that is.
    var layerProblem: String? {
        let type = mediaType.replacing("nondistributable.", with: "").replacing("foreign.", with: "")
        let read = [
            "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.diff.tar",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ]
        if read.contains(type) { return nil }
        if type.hasSuffix("zstd") { return "is compressed by zstd, which is not read here" }
        return "is of the type '\(ImageText.shown(mediaType))', which is not read here"
    }
}

extension ImagePlatform: FieldReadable {
    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        os = try fields["os"]?.text(limit: 64) ?? ""
        architecture = try fields["architecture"]?.text(limit: 64) ?? ""
    }
}

extension Digest {
    /// A digest by which a blob is found: its text becomes a file's name.
    init(ofBlob field: Field) throws(FieldProblem) {
        let text = try field.text(limit: 256)
        self.init(rawValue: text)
        let isHex = hex.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard text.hasPrefix("sha256:"), text.utf8.count == 7 + 64, hex.utf8.count == 64, isHex else {
            throw field.problem(
                "is '\(ImageText.shown(text))', no digest of the form sha256: and 64 hexadecimal digits"
            )
        }
    }
}

/// The part of an image that says what it is made of.
///
/// Source: OCI image specification, manifest.md.
struct ImageManifest: FieldReadable {
    /// No honest image has more: overlay file systems do not take them.
    static let mostLayers = 500

    var config: ImageDescriptor
    var layers: [ImageDescriptor]

    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        config = try ImageDescriptor(try fields.required("config", hint: "is it an image?"))
        layers = try fields.required("layers").list { field throws(FieldProblem) in
            try ImageDescriptor(field)
        }
        if layers.count > Self.mostLayers {
            throw field.problem("has \(layers.count) layers; \(Self.mostLayers) are read at most")
        }
        for (index, layer) in layers.enumerated() {
            guard let problem = layer.layerProblem else { continue }
            throw FieldProblem(
                "layer \(index + 1) \(problem)",
                hint:
                    "`skopeo copy --dest-compress-format gzip oci:PATH oci:NEW` writes the image anew with gzip"
            )
        }
    }
}

/// What an image says about its processes and its layers.
///
/// Source: OCI image specification, config.md.
struct ImageConfig: FieldReadable {
    var platform: ImagePlatform
    /// Digests of the layers' tars, the lowest first.
    var contents: [Digest]
    var environment: [String: String]

    init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        platform = try ImagePlatform(field)
        contents = try fields.required("rootfs", hint: "is it an image?").fields().required("diff_ids").list {
            field throws(FieldProblem) in try Digest(ofBlob: field)
        }
        environment = ImageEnvironment.read(
            try fields["config"]?.fields()["Env"]?.texts() ?? []
        )
    }
}

/// The variables of an image that its root file system takes along.
enum ImageEnvironment {
    /// Of `NAME=value`, those that a project could set for itself too, and `PATH`.
    ///
    /// Proxies of whoever made the image would lead nowhere: a sandbox has its own way out.
    static func read(_ texts: [String]) -> [String: String] {
        var variables: [String: String] = [:]
        for text in texts.prefix(VariableRule.most) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, parts.count == 2, isTaken(String(first)),
                parts[1].utf8.count <= VariableRule.longestValue
            else { continue }
            variables[String(first)] = String(parts[1])
        }
        return variables
    }

    private static func isTaken(_ name: String) -> Bool {
        if name == "PATH" { return true }
        return VariableRule.isName(name) && !VariableRule.isOwn(name) && !VariableRule.steersLoader(name)
            && !name.lowercased().hasSuffix("_proxy")
    }
}
