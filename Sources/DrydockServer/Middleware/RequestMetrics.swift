// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore

/// Counts every answer, and times it from the request's head to the answer's.
struct RequestMetrics: RouterMiddleware {
    let metrics: ServerMetrics

    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        // The route's pattern, never the path: what a client makes up would become a series of its own.
        let route = context.endpointPath ?? "none"
        metrics.answered(response.status.code, route: route, in: .now - start)
        return response
    }
}
