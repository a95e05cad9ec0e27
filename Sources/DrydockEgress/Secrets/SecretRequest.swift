// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import NIOHTTP1

/// One request that gets a secret, and what its answer is looked through for.
struct SecretRequest {
    /// All that a host is told of the client's fields: one that is not known could say another method or path than the
    /// request's (`X-HTTP-Method-Override`, `X-Original-URL`), name somebody else (`Authorization`, `Cookie`), or ask for an answer that
    /// can not be looked through (`Range`, `Accept-Encoding`).
    private static let kept = [
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Content-Type", "Content-Encoding",
        "Accept",
        "Accept-Language", "User-Agent", "Cache-Control", "Pragma", "If-None-Match", "If-Modified-Since",
        "Git-Protocol", "Cargo-Protocol",
    ]

    private let target: ProxyTarget
    private let secret: HostSecret

    init(_ secret: HostSecret, for target: ProxyTarget) {
        self.target = target
        self.secret = secret
    }

    /// What its answer is looked through for.
    var masks: [[UInt8]] { secret.masks }

    /// `head` with the secret.
    func passedOn(_ head: HTTPRequestHead) throws(Refusal) -> HTTPRequestHead {
        let hasBody =
            head.headers.contains(name: "Transfer-Encoding")
            || head.headers["Content-Length"].contains { $0 != "0" }
        if hasBody, SecretRequests.reading.contains(head.method.rawValue) {
            throw Refusal(.denied, target, "was sent a \(head.method.rawValue) with a body")
        }
        var passed = head
        passed.headers = HTTPHeaders(
            Self.kept.flatMap { name in head.headers[name].map { (name, $0) } } + [
                ("Accept-Encoding", "identity")
            ]
        )
        // Whatever else lies at such a path would take another type for another request.
        if secret.requests.isGit, head.method == .POST {
            passed.headers.replaceOrAdd(
                name: "Content-Type",
                value: "application/x-git-upload-pack-request"
            )
        }
        let field = secret.field
        passed.headers.replaceOrAdd(name: field.name, value: field.value)
        return passed
    }

    /// The head of an answer that can be looked through, without what stands for the secret.
    func passedBack(_ head: HTTPResponseHead) throws(Refusal) -> HTTPResponseHead {
        let codings = head.headers[canonicalForm: "Content-Encoding"]
        guard codings.allSatisfy({ $0.lowercased() == "identity" }) else {
            throw Refusal(
                .unreachable,
                target,
                "answered in a coding that it was not asked for"
            )
        }
        var passed = head
        for name in ["Set-Cookie", "Set-Cookie2"] { passed.headers.remove(name: name) }
        return passed
    }
}
