// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore
import NIOCore

/// A file of the page at `/`; embedded, so that the server is one binary.
enum PageAsset: Hashable, Sendable, CaseIterable {
    case document
    case style
    case script
    case icon

    /// Its address.
    var path: String {
        switch self {
        case .document: "/"
        case .style: "/page.css"
        case .script: "/page.js"
        case .icon: "/icon.svg"
        }
    }

    var contentType: String {
        switch self {
        case .document: "text/html; charset=utf-8"
        case .style: "text/css; charset=utf-8"
        case .script: "text/javascript; charset=utf-8"
        case .icon: "image/svg+xml"
        }
    }

    /// What the build put into the program (`embedInCode`, Package.swift).
    var bytes: [UInt8] {
        switch self {
        case .document: PackageResources.page_html
        case .style: PackageResources.page_css
        case .script: PackageResources.page_js
        case .icon: PackageResources.icon_svg
        }
    }
}

/// The page that shows builds live; its parts are in the files beside this one.
enum Page {
    /// Nothing from elsewhere, nothing inline, no frames, no forms that leave.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'
        """

    static func response(_ asset: PageAsset) -> Response {
        var response = Response.bytes(ByteBuffer(bytes: asset.bytes), type: asset.contentType)
        response.headers.set("content-security-policy", policy)
        response.headers.set("cache-control", "no-cache")
        response.headers.set("referrer-policy", "no-referrer")
        response.headers.set("cross-origin-opener-policy", "same-origin")
        response.headers.set("x-frame-options", "DENY")
        return response
    }
}
