// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Whom a client of the proxy wants to reach.
struct ProxyTarget: Hashable, Sendable {
    /// The port of https where none is named.
    static let securePort: UInt16 = 443

    var host: HostName
    var port: UInt16

    init(host: HostName, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, the target of CONNECT (RFC 9110 section 7.2, RFC 9112 section 3.2.3).
    init(authority: some StringProtocol) throws(Refusal) {
        guard let colon = authority.lastIndex(of: ":") else {
            throw Refusal(.badRequest, host: String(authority), "has no port")
        }
        let host = authority[..<colon]
        guard let port = Self.port(authority[authority.index(after: colon)...]) else {
            throw Refusal(.badRequest, host: String(host), "has a port that is none")
        }
        self.init(host: try Self.name(host, port), port: port)
    }

    /// Digits without a zero in front; nil for any other port.
    private static func port(_ text: some StringProtocol) -> UInt16? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.utf8.first != UInt8(ascii: "0")
        else { return nil }
        return UInt16(text)
    }

    private static func name(_ text: some StringProtocol, _ port: UInt16) throws(Refusal) -> HostName {
        do throws(HostNameProblem) {
            return try HostName(text)
        } catch {
            throw Refusal(.badRequest, host: String(text), port: port, error.explanation)
        }
    }
}

extension ProxyTarget {
    /// Reads `http://HOST[:PORT]/PATH`, the target of every other method (RFC 9112 section 3.2.2), and the path with the
    /// query, as the host itself gets it.
    static func absolute(_ uri: String) throws(Refusal) -> (target: ProxyTarget, path: String) {
        let scheme = "http://"
        guard uri.utf8.count > scheme.utf8.count, uri.prefix(scheme.count).lowercased() == scheme else {
            throw Refusal(
                .badRequest,
                host: "",
                "the proxy takes CONNECT, and addresses that begin with http://"
            )
        }
        let rest = uri.dropFirst(scheme.count)
        let end = rest.firstIndex { "/?#\\".contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        let path = rest[end...]
        guard !path.contains("#"), !path.hasPrefix("\\") else {
            throw Refusal(.badRequest, host: String(authority), "the address has a # or a \\ in it")
        }
        let hasPort = authority.contains(":") && authority.last != "]"
        let target = try ProxyTarget(authority: hasPort ? String(authority) : authority + ":80")
        return (target, path.hasPrefix("/") ? String(path) : "/" + path)
    }
}

/// Why something is not let through.
struct Refusal: Error, Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// No rule allows it, or where it leads.
        case denied
        /// It is no request that a proxy takes.
        case badRequest
        /// It is allowed, and can not be reached.
        case unreachable
        case busy
    }

    var kind: Kind
    /// As it was asked for.
    var host: String
    var port: UInt16?
    /// To follow the host's name.
    var reason: String

    init(_ kind: Kind, host: String, port: UInt16? = nil, _ reason: String) {
        self.kind = kind
        self.host = host
        self.port = port
        self.reason = reason
    }

    /// No rule allows it.
    static func notGranted(_ host: String, port: UInt16? = nil) -> Refusal {
        Refusal(.denied, host: host, port: port, "is not among the hosts that this step may reach")
    }

    init(_ kind: Kind, _ target: ProxyTarget, _ reason: String) {
        self.init(kind, host: target.host.text, port: target.port, reason)
    }
}
