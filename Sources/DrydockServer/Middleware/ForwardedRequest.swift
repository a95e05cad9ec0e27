// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol
import Hummingbird
import HummingbirdCore

/// Makes of a request what its client sent, where it came through proxies that are believed: all checks behind it see the
/// client's address, scheme and host.
struct ForwardedRequest: RouterMiddleware {
    let proxies: TrustedProxies

    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        let authority = try Self.authority(request.head.authority, request.headers.values("host"))
        let facts = proxies.facts(context.peer, authority) { name in request.headers.values(name) }
        var (head, context) = (request.head, context)
        head.authority = facts.authority
        head.scheme = facts.isSecure ? "https" : "http"
        context.caller.address = facts.place
        return try await next(Request(head: head, body: request.body), context)
    }

    /// The host that a request names: over HTTP/2 by `:authority`, or where that is left out by `host`; where it names two,
    /// whoever stands in front may have read the other one (RFC 9113, section 8.3.1).
    ///
    /// Over HTTP/1.1 `host` is the authority, and does not stand among the headers any more.
    static func authority(_ named: String?, _ hosts: [String]) throws(Problem) -> String? {
        guard let host = hosts.first else { return named }
        guard hosts.count == 1, isSame(named ?? host, host) else {
            throw Problem(400, "host_invalid", "the request names two hosts")
        }
        return named ?? host
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        guard let left = Authority(one), let right = Authority(other) else { return one == other }
        // HTTP/2 is spoken over TLS alone.
        return left.name == right.name && left.port ?? 443 == right.port ?? 443
    }
}
