// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol
import Hummingbird
import HummingbirdCore

/// Explains why no operation answers a request: its address is none, or takes other methods.
struct AddressCheck: RouterMiddleware {
    let operations: [Operation]

    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        // The router passes over empty segments: to it `//api/` is `/api`, to whoever stands in front maybe not.
        let isCanonical = path == "/" || (path.hasPrefix("/") && !path.hasSuffix("/") && !path.contains("//"))
        guard isCanonical else { throw Problem.notFound("address \(path.prefix(200))") }
        // Set by the router where it has found an operation.
        guard context.endpointPath == nil else { return try await next(request, context) }
        // HEAD goes wherever GET goes.
        let methods = operations.filter { $0.matches(path) }
            .flatMap { $0.method == .get ? ["GET", "HEAD"] : [$0.method.rawValue] }
            .joined(separator: ", ")
        guard !methods.isEmpty else { throw Problem.notFound("address \(path.prefix(200))") }
        throw Problem(405, "method_not_allowed", "this address takes \(methods)", hint: methods)
    }
}
