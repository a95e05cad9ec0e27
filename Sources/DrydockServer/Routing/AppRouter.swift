// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Hummingbird
import HummingbirdCore

/// Fills Hummingbird's router from the table of operations: a route that is not in the table does not exist.
enum AppRouter {
    /// The responder of the whole server.
    ///
    /// Each request passes the middlewares in the order in which they are added here: first those around every answer,
    /// then those that may refuse, at last those that the operation asks for.
    static func make(
        _ operations: [Operation],
        checks: AccessChecks,
        preview: PreviewSite,
        metrics: ServerMetrics
    ) -> RouterResponder<CallContext> {
        let router = Router(context: CallContext.self)
        router.add(middleware: RequestMetrics(metrics: metrics))
        router.add(middleware: HeadReplies())
        router.add(middleware: ProblemReplies())
        router.add(middleware: ForwardedRequest(proxies: checks.proxies))
        router.add(middleware: SiteCheck(access: checks.access, preview: preview))
        router.add(middleware: AddressCheck(operations: operations))
        for operation in operations { add(operation, to: router, checks) }
        return router.buildResponder()
    }

    private static func add(
        _ operation: Operation,
        to router: Router<CallContext>,
        _ checks: AccessChecks
    ) {
        let route = router.group()
        if operation.admission != .everyone { route.add(middleware: OriginCheck(access: checks.access)) }
        if let scope = operation.scope {
            route.add(
                middleware: AdmissionCheck(
                    gate: checks.gate,
                    audit: checks.audit,
                    operation: operation,
                    scope: scope
                )
            )
        }
        if let body = operation.body { route.add(middleware: BodyLimit(most: body.most)) }
        let path = RouterPath(operation.path)
        route.on(path, method: operation.method, use: operation.respond)
        // Who asks for the head is answered as if asking for all; `HeadReplies` takes the body away.
        if operation.method == .get { route.on(path, method: .head, use: operation.respond) }
    }
}
