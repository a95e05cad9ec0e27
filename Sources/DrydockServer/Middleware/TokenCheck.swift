// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore

/// Refuses requests without a bearer token that is known, where the server has any.
struct TokenCheck: RouterMiddleware {
    let access: AccessPolicy

    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        try access.checkToken(AccessPolicy.bearer(request.headers.value("authorization")))
        return try await next(request, context)
    }
}
