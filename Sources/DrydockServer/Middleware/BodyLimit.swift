// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Hummingbird
import HummingbirdCore

/// Refuses bodies that announce themselves as too large, before a byte of them is read.
///
/// One that announces nothing is counted by whoever reads it.
struct BodyLimit: RouterMiddleware {
    let most: ByteCount

    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        let announced = request.headers.value("content-length").flatMap { Int64($0) } ?? 0
        guard announced <= most.bytes else { throw Problem.sourceTooLarge(most) }
        return try await next(request, context)
    }
}
