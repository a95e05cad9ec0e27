// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore

/// Refuses requests that pages of foreign origins make.
struct OriginCheck: RouterMiddleware {
    let access: AccessPolicy

    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        try access.checkOrigin(
            request.headers.value("origin"),
            authority: request.head.authority,
            isSecure: request.head.scheme == "https"
        )
        return try await next(request, context)
    }
}
