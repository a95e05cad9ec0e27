// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol
import Hummingbird
import HummingbirdCore

/// Turns whatever was thrown into a problem (RFC 9457).
struct ProblemReplies: RouterMiddleware {
    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch is CancellationError {
            // Its client has gone: nobody hears the answer, and nothing is wrong.
            return .problem(Problem(499, "cancelled", "the request was given up"))
        } catch {
            let problem = Problem(explaining: error)
            // What a client did wrong is its own business; paths are its own words, too.
            if problem.status == 500 {
                context.logger.error("\(request.method) \(request.uri.path.prefix(200)): \(error)")
            }
            return .problem(problem)
        }
    }
}
