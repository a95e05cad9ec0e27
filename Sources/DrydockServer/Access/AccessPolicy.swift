// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// Which requests are meant for this server, by host and origin; pure.
struct AccessPolicy: Sendable {
    /// What a request's host leads to.
    enum Site: Hashable, Sendable {
        /// API, page and `/ws`.
        case app
        case preview(DeployID)
        /// Shaped like a preview's host, but of a kind that does not exist yet.
        case unknownPreview
    }

    private let appHosts: Set<String>
    private let origins: Set<String>
    private let previewSuffix: String
    /// Whether only this machine can reach the server.
    let listensOnLoopback: Bool

    init(_ options: ServerOptions) {
        let listen = Authority(options.host.contains(":") ? "[\(options.host)]" : options.host)
        appHosts = Set(
            ["localhost"] + options.hosts.map { $0.lowercased() } + [listen?.name].compactMap(\.self)
        )
        origins = Set(options.origins.map { $0.lowercased() })
        previewSuffix = "." + options.previewDomain.lowercased()
        listensOnLoopback = listen?.isLoopback ?? false
    }

    /// The site that `authority` (the `Host` header) leads to.
    ///
    /// Unknown names are refused: a page of a name that was made to resolve to this machine would otherwise be of the
    /// same origin as the API (DNS rebinding).
    func site(_ authority: String?) throws(Problem) -> Site {
        guard let authority, let host = Authority(authority) else {
            throw Problem(400, "host_invalid", "the request has no valid Host header")
        }
        if host.name.hasSuffix(previewSuffix), !appHosts.contains(host.name) {
            return previewSite(host.name.dropLast(previewSuffix.count))
        }
        guard appHosts.contains(host.name) || host.isAddress else {
            throw Problem(
                421,
                "host_unknown",
                "this server does not answer for the host \"\(host.name)\"",
                hint:
                    "add https://\(host.name) to `origins` in the configuration if it is a name of this server"
            )
        }
        return .app
    }

    private func previewSite(_ label: Substring) -> Site {
        let id = label.dropFirst(2)
        let isID =
            id.utf8.count == 12
            && id.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
        guard label.hasPrefix("d-"), isID else { return .unknownPreview }
        return .preview(DeployID(rawValue: String(id)))
    }

    /// Checks the `Origin` of a request to `authority`; none = not a browser's page, which is allowed.
    ///
    /// `isSecure` = the request is known to come by https: a page that anybody on the way could have written is of another
    /// origin then. Where it is not known, a proxy in front may have taken TLS off.
    func checkOrigin(_ origin: String?, authority: String?, isSecure: Bool) throws(Problem) {
        guard let origin = origin?.lowercased() else { return }
        if origins.contains(origin) { return }
        if let host = Self.host(ofOrigin: origin), let own = authority.flatMap(Authority.init) {
            let samePort = host.port ?? Self.defaultPort(origin) == own.port ?? Self.defaultPort(origin)
            let sameScheme = !isSecure || origin.hasPrefix("https:")
            if host.name == own.name && samePort && sameScheme { return }
            if listensOnLoopback && host.isLoopback { return }
        }
        throw Problem(
            403,
            "origin_refused",
            "pages of \(origin.prefix(100)) may not use this server",
            hint: "add the origin to `origins` in the server's configuration"
        )
    }

    /// The token of an `Authorization` header; nil when it has another scheme.
    static func bearer(_ header: String?) -> String? {
        guard let header, header.utf8.count > 7, header.prefix(7).lowercased() == "bearer " else {
            return nil
        }
        return String(header.dropFirst(7))
    }

    private static func host(ofOrigin origin: String) -> Authority? {
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
            return Authority(String(origin.dropFirst(scheme.count)))
        }
        return nil
    }

    private static func defaultPort(_ origin: String) -> Int { origin.hasPrefix("https:") ? 443 : 80 }
}
