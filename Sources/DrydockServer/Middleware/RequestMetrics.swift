// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore

/// Counts every answer.
struct RequestMetrics: RouterMiddleware {
    let counters: ServerCounters

    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        counters.answered(response.status.code)
        return response
    }
}
