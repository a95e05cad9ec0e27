// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPreview
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore

/// Answers on the hosts of previews: static files of one immutable deploy.
///
/// Private tickets, session aliases, running processes, `_headers` and `_redirects` come with later issues.
struct PreviewSite: Sendable {
    private let catalog: PreviewCatalog
    private let files: FileResponse

    init(store: any Store) {
        catalog = PreviewCatalog(store: store)
        files = FileResponse(store: store)
    }

    func respond(
        _ request: Request,
        deploy: DeployID
    ) async throws -> Response {
        guard request.method == .get || request.method == .head else {
            throw Problem(405, "method_not_allowed", "a static preview takes GET and HEAD", hint: "GET, HEAD")
        }
        guard let site = try await catalog.site(deploy) else {
            throw Problem.notFound("preview at this address")
        }
        let isNavigation =
            request.headers.value("sec-fetch-mode").map { $0 == "navigate" }
            ?? (request.headers.value("accept") ?? "").contains("text/html")
        var response: Response
        switch site.resolve(path: request.uri.path, isNavigation: isNavigation) {
        case .file(let file):
            response = try await files.send(file, request)
            response.headers.set("cache-control", Self.caching(file.path))
        case .notFound(let page?): response = try await files.send(page, request, status: 404)
        case .notFound(nil): response = .text("There is no such file in this preview.\n", status: 404)
        case .redirect(let path):
            let query = request.uri.query.map { "?" + $0 } ?? ""
            response = Response(status: .permanentRedirect)
            response.headers.set("location", path + query)
        }
        Self.protect(&response)
        return response
    }

    /// What keeps a preview to itself, whatever its pages do (design: one origin for each deploy).
    static func protect(_ response: inout Response) {
        response.headers.set("x-content-type-options", "nosniff")
        response.headers.set("x-robots-tag", "noindex")
        response.headers.set("origin-agent-cluster", "?1")
        response.headers.set("cross-origin-opener-policy", "same-origin")
        response.headers.set("referrer-policy", "no-referrer")
    }

    /// Pages are asked about each time; files that carry a hash in their name never change.
    static func caching(_ path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        let parts = name.split { $0 == "." || $0 == "-" }
        let isHashed =
            parts.count > 2
            && parts.dropFirst().dropLast().contains { part in
                part.utf8.count >= 8 && part.utf8.allSatisfy(Self.isAlphanumeric)
                    && part.contains(where: \.isNumber)
            }
        return isHashed ? "public, max-age=31536000, immutable" : "no-cache"
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
        default: false
        }
    }
}
