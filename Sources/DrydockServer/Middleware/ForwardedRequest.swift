// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

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
        let facts = proxies.facts(context.peer, request.head.authority) { name in
            request.headers.values(name)
        }
        var (head, context) = (request.head, context)
        head.authority = facts.authority
        head.scheme = facts.isSecure ? "https" : "http"
        context.caller.address = facts.place
        return try await next(Request(head: head, body: request.body), context)
    }
}
