// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol

/// Who may ask for what, by host, origin and token; pure.
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
    private let tokens: [Digest]
    private let previewSuffix: String
    private let listensOnLoopback: Bool

    init(_ options: ServerOptions) {
        let listen = HostName(authority: options.host.contains(":") ? "[\(options.host)]" : options.host)
        appHosts = Set(
            ["localhost"] + options.hosts.map { $0.lowercased() } + [listen?.name].compactMap(\.self)
        )
        origins = Set(options.origins.map { $0.lowercased() })
        tokens = options.tokens
        previewSuffix = "." + options.previewDomain.lowercased()
        listensOnLoopback = listen?.isLoopback ?? false
    }

    /// The site that `authority` (the `Host` header) leads to.
    ///
    /// Unknown names are refused: a page of a name that was made to resolve to this machine would otherwise be of the
    /// same origin as the API (DNS rebinding).
    func site(_ authority: String?) throws(Problem) -> Site {
        guard let authority, let host = HostName(authority: authority) else {
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
    func checkOrigin(_ origin: String?, authority: String?) throws(Problem) {
        guard let origin = origin?.lowercased() else { return }
        if origins.contains(origin) { return }
        if let host = Self.host(ofOrigin: origin), let own = authority.flatMap(HostName.init(authority:)) {
            let samePort = host.port ?? Self.defaultPort(origin) == own.port ?? Self.defaultPort(origin)
            if host.name == own.name && samePort { return }
            if listensOnLoopback && host.isLoopback { return }
        }
        throw Problem(
            403,
            "origin_refused",
            "pages of \(origin.prefix(100)) may not use this server",
            hint: "add the origin to `origins` in the server's configuration"
        )
    }

    /// Checks the bearer token; `offered` = what the client sent, nil = nothing.
    func checkToken(_ offered: String?) throws(Problem) {
        guard !tokens.isEmpty else { return }
        // Digests are compared, and every one in full: the time says nothing about how much of a token was right.
        let digest = Array(SHA256Hasher.digest(of: (offered ?? "").utf8).rawValue.utf8)
        var found = false
        for token in tokens { found = Self.equal(Array(token.rawValue.utf8), digest) || found }
        guard found else {
            throw Problem(
                401,
                "unauthorized",
                offered == nil ? "a bearer token is needed" : "the bearer token is not known",
                hint:
                    "send `Authorization: Bearer TOKEN`; on /ws also as subprotocol `bearer.TOKEN` beside `drydock`"
            )
        }
    }

    /// The token of an `Authorization` header; nil when it has another scheme.
    static func bearer(_ header: String?) -> String? {
        guard let header, header.utf8.count > 7, header.prefix(7).lowercased() == "bearer " else {
            return nil
        }
        return String(header.dropFirst(7))
    }

    private static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        var difference = left.count ^ right.count
        for index in left.indices {
            difference |= Int(left[index] ^ (right.isEmpty ? 0 : right[index % right.count]))
        }
        return difference == 0
    }

    private static func host(ofOrigin origin: String) -> HostName? {
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
            return HostName(authority: String(origin.dropFirst(scheme.count)))
        }
        return nil
    }

    private static func defaultPort(_ origin: String) -> Int { origin.hasPrefix("https:") ? 443 : 80 }
}
