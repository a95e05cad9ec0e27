// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol
import Hummingbird
import HummingbirdCore

/// Lets only requests for the app's own hosts go on; those for a preview's are answered by its site, here, so that no
/// route of the app is ever reached from a preview's origin.
struct SiteCheck: RouterMiddleware {
    let access: AccessPolicy
    let preview: PreviewSite

    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        switch try access.site(request.head.authority) {
        case .app: return try await next(request, context)
        case .preview(let deploy):
            context.coreContext.endpointPath.value = "preview"
            return try await preview.respond(request, deploy: deploy)
        case .unknownPreview:
            context.coreContext.endpointPath.value = "preview"
            throw Problem.notFound("preview at this address")
        }
    }
}
