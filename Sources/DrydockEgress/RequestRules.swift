// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOHTTP1

/// What a plain request must be like to be passed on, and what it is like then.
///
/// A request is never passed on as bytes: it is read, checked, and written anew, so that host and proxy can not disagree
/// about where it ends. Source: RFC 9110 section 7.6, RFC 9112 sections 3.2, 6 and 11.
enum RequestRules {
    /// Refuses a head that two readers could read differently.
    static func check(_ head: HTTPRequestHead) throws(Refusal) {
        guard head.version == .http1_1 || head.version == .http1_0 else {
            throw refusal("was sent a request of HTTP \(head.version.major).\(head.version.minor)")
        }
        guard isToken(head.method.rawValue.utf8) else { throw refusal("was sent a method that is none") }
        // It has no body (RFC 9110 section 9.3.8), so the writer would frame none, and what came with it would be a request.
        guard head.method != .TRACE else { throw refusal("was sent TRACE") }
        guard head.uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw refusal("was sent an address with a space or a control character")
        }
        for (name, value) in head.headers {
            guard isToken(name.utf8), value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw refusal("was sent a field with a character that is in none")
            }
        }
        for name in ["Host", "Content-Length", "Transfer-Encoding"] where head.headers[name].count > 1 {
            throw refusal("was sent more than one \(name)")
        }
        guard head.headers["Content-Length"].isEmpty || head.headers["Transfer-Encoding"].isEmpty else {
            throw refusal("was sent both a Content-Length and a Transfer-Encoding")
        }
        if let coding = head.headers.first(name: "Transfer-Encoding"), coding.lowercased() != "chunked" {
            throw refusal("was sent a Transfer-Encoding other than chunked")
        }
    }

    /// The field Host must say what the address says: a host that looks at the one would be asked for the other.
    static func checkHost(
        _ head: HTTPRequestHead,
        _ target: ProxyTarget,
        standardPort: UInt16
    ) throws(Refusal) {
        guard let field = head.headers.first(name: "Host") else {
            if head.version == .http1_0 { return }
            throw Refusal(.badRequest, target, "was sent a request without the field Host")
        }
        let hasPort = field.contains(":") && field.last != "]"
        guard let named = try? ProxyTarget(authority: hasPort ? field : field + ":\(standardPort)"),
            named == target
        else {
            throw Refusal(.denied, target, "was sent a request whose field Host names another")
        }
    }

    /// The head as the host gets it: its own path, and no field that is for the proxy.
    static func passedOn(
        _ head: HTTPRequestHead,
        to target: ProxyTarget,
        path: String,
        standardPort: UInt16
    ) -> HTTPRequestHead {
        var passed = HTTPRequestHead(version: .http1_1, method: head.method, uri: path)
        passed.headers = withoutHops(head.headers)
        let isChunked = !head.headers["Transfer-Encoding"].isEmpty
        for name in ["Host", "Expect", "Proxy-Authorization"] { passed.headers.remove(name: name) }
        let port = target.port == standardPort ? "" : ":\(target.port)"
        passed.headers.add(name: "Host", value: target.host.text + port)
        if isChunked { passed.headers.add(name: "Transfer-Encoding", value: "chunked") }
        passed.headers.add(name: "Connection", value: "close")
        return passed
    }

    /// Refuses the head of an answer whose body could not be passed on as what it is, or be told from a half of it.
    static func checkAnswer(_ head: HTTPResponseHead, of target: ProxyTarget) throws(Refusal) {
        let codings = head.headers["Transfer-Encoding"]
        guard codings.isEmpty || codings.map({ $0.lowercased() }) == ["chunked"] else {
            throw Refusal(.unreachable, target, "answered in a Transfer-Encoding other than chunked")
        }
    }

    /// The head of the answer as the client gets it.
    static func passedBack(_ head: HTTPResponseHead, to request: HTTPRequestHead) -> HTTPResponseHead {
        var passed = HTTPResponseHead(version: request.version, status: head.status)
        passed.headers = withoutHops(head.headers)
        passed.headers.remove(name: "Proxy-Authenticate")
        let isUnbounded = passed.headers["Content-Length"].isEmpty
        // Of an answer to HEAD nothing is chunked, and without a length only its end can tell where it ends.
        if request.method == .HEAD, isUnbounded { passed.version = .http1_0 }
        if !keepsAlive(request, passed) { passed.headers.add(name: "Connection", value: "close") }
        return passed
    }

    /// Whether the client's connection goes on after this answer.
    static func keepsAlive(_ request: HTTPRequestHead, _ answer: HTTPResponseHead) -> Bool {
        // Behind an upgrade the reader waits for another protocol.
        request.version == .http1_1 && answer.version == .http1_1 && request.isKeepAlive
            && request.headers["Upgrade"].isEmpty
            && !request.headers[canonicalForm: "Proxy-Connection"].contains { $0.lowercased() == "close" }
    }

    /// Without the fields that are about one connection only, those that Connection names among them.
    private static func withoutHops(_ headers: HTTPHeaders) -> HTTPHeaders {
        var kept = headers
        let named = headers[canonicalForm: "Connection"].map(String.init)
        let hops = [
            "Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
            "HTTP2-Settings",
        ]
        for name in hops + named.filter({ !["host", "content-length"].contains($0.lowercased()) }) {
            kept.remove(name: name)
        }
        return kept
    }

    /// RFC 9110 section 5.6.2.
    private static func isToken(_ text: some Collection<UInt8>) -> Bool {
        let others = "!#$%&'*+-.^_`|~".utf8
        return !text.isEmpty
            && text.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || others.contains(byte)
            }
    }

    private static func refusal(_ reason: String) -> Refusal { Refusal(.badRequest, host: "", reason) }
}
