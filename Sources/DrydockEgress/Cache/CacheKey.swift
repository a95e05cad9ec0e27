// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import NIOHTTP1

/// What an answer is kept by: everything of a request that reaches the host.
///
/// Whoever asks is a stranger to whoever gets the answer again, so there is nothing else that could have made it another one.
struct CacheKey: Hashable, Sendable {
    private static let longestAccept = 1_024
    private static let longestPath = 8_192

    /// With scheme, host, port, path and query, byte for byte as the host gets them.
    let url: String
    /// Which form of it is asked for.
    let accept: String

    /// Fields that do not change what is answered, or not so that it matters; with any other the request is its client's own: it may say who asks
    /// (`Authorization`, `Cookie`, `PRIVATE-TOKEN`), or what.
    private static let harmless: Set<String> = [
        "host", "connection", "proxy-connection", "keep-alive", "te", "user-agent", "referer", "dnt",
        "content-length",
        "accept", "accept-encoding", "accept-language", "accept-charset", "cache-control", "pragma",
        "if-none-match", "if-modified-since", "cargo-protocol",
        // What npm says of itself and of its cache.
        "npm-session", "npm-command", "npm-scope", "npm-in-ci", "npm-auth-type", "pacote-integrity",
        "pacote-pkg-id", "pacote-req-type", "pacote-version",
    ]

    /// nil for a request that is for somebody, for a part, or for more than a look.
    init?(_ target: ProxyTarget, isSecure: Bool, _ head: HTTPRequestHead, path: String) {
        guard head.method == .GET || head.method == .HEAD,
            head.headers["Content-Length"].allSatisfy({ $0 == "0" }),
            head.headers.allSatisfy({ Self.harmless.contains($0.name.lowercased()) })
        else { return nil }
        accept = head.headers["Accept"].joined(separator: ", ")
        guard accept.utf8.count <= Self.longestAccept, path.utf8.count <= Self.longestPath else { return nil }
        url = "\(isSecure ? "https" : "http")://\(target.host.text):\(target.port)\(path)"
    }

    /// The name of its file: 64 hexadecimal digits.
    var name: String { String(SHA256Hasher.digest(of: "\(url)\n\(accept)".utf8).hex) }

    static func isName(_ name: [UInt8]) -> Bool {
        name.count == 64 && name.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The request as the host gets it, whoever asks: `passed`, without what the client says of itself.
    func request(_ passed: HTTPRequestHead) -> HTTPRequestHead {
        var request = passed
        request.headers = HTTPHeaders(
            ["Host", "Connection"].flatMap { name in passed.headers[name].map { (name, $0) } }
                + (accept.isEmpty ? [] : [("Accept", accept)])
                + [("User-Agent", "Drydock"), ("Accept-Encoding", "identity")]
        )
        return request
    }
}
