// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPreview
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore

/// What a build gave out: a list, and each file for download.
struct ArtifactsAPI: Sendable {
    private struct View: Encodable {
        var path: String
        var digest: Digest
        var size: ByteCount
        var role: ArtifactRole
        var executable: Bool
        var url: String
    }

    private struct List: Encodable {
        var artifacts: [View]
    }

    let store: any Store

    func list(_ build: Build) async throws -> Response {
        let base = "/api/v1/builds/\(build.id)/artifacts/"
        let views = try await store.artifacts(build.id).map { artifact in
            View(
                path: artifact.path,
                digest: artifact.digest,
                size: artifact.size,
                role: artifact.role,
                executable: artifact.executable,
                url: base + PercentCoding.encode(artifact.path)
            )
        }
        return try .json(List(artifacts: views))
    }

    /// One file, never rendered in the app's origin whatever it holds.
    func download(
        _ build: Build,
        _ path: String,
        _ request: Request
    ) async throws -> Response {
        guard let artifact = try await store.artifact(build.id, path) else {
            throw Problem.notFound("artifact \(path.prefix(200)) of \(build.id)")
        }
        var response = try await FileResponse(store: store).send(artifact, request)
        let name = artifact.path.split(separator: "/").last.map(String.init) ?? "artifact"
        response.headers.set("content-disposition", Self.attachment(name))
        response.headers.set("content-security-policy", "sandbox; default-src 'none'")
        response.headers.set("cache-control", "private, no-cache")
        return response
    }

    /// `attachment` with the name in both forms (RFC 6266, RFC 8187).
    static func attachment(_ name: String) -> String {
        let plain = String(
            name.unicodeScalars.map { scalar in
                scalar.isASCII && scalar.value >= 0x20 && !"\"\\%".unicodeScalars.contains(scalar)
                    && scalar.value != 0x7F
                    ? Character(scalar) : "_"
            }
        )
        let coded = PercentCoding.encode(name).flatMap { character in
            "!$&'()*+,;=:@/".contains(character)
                ? "%" + String(character.asciiValue ?? 0, radix: 16, uppercase: true) : String(character)
        }
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(String(coded))"
    }
}
