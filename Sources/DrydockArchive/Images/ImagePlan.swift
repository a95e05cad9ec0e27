// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What of an image is unpacked, in order, worked out before anything is.
package struct ImagePlan: Codable, Hashable, Sendable {
    /// The manifest's digest, by which a registry knows the image.
    package var manifest: Digest
    /// The lowest first.
    package var layers: [ImageLayer]
    /// What its configuration sets for every process, `PATH` among it; nothing that is for Drydock to set.
    package var environment: [String: String]
}

/// One layer of an image.
package struct ImageLayer: Codable, Hashable, Sendable {
    /// Of the blob, as it is stored.
    package var digest: Digest
    package var size: ByteCount
    /// Of the tar in it (`diff_id`).
    package var content: Digest
}

/// For which machines an image is.
struct ImagePlatform: Hashable, CustomStringConvertible {
    var os: String
    var architecture: String

    var description: String { ImageText.shown("\(os)/\(architecture)") }

    /// This machine's.
    static var own: ImagePlatform {
        #if arch(x86_64)
        ImagePlatform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
        ImagePlatform(os: "linux", architecture: "arm64")
        #else
        ImagePlatform(os: "linux", architecture: "unknown")
        #endif
    }
}

/// Texts of an image that are shown.
enum ImageText {
    /// Without control characters, and clipped.
    static func shown(_ text: String) -> String { PlainLine.of(String(text.prefix(100))) }
}
