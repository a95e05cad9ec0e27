// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore

/// Answers HEAD with the headers of the whole answer, and no body (RFC 9110, section 9.3.2).
struct HeadReplies: RouterMiddleware {
    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        guard request.method == .head else { return response }
        var head = response.createHeadResponse()
        // The length of a stream is not known, and is not given as none.
        if response.body.contentLength == nil { head.headers.set("content-length", nil) }
        return head
    }
}
