// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Hummingbird
import HummingbirdCore

/// Lets through who may do what the operation does, by their bearer token, and records changes that are refused.
struct AdmissionCheck: RouterMiddleware {
    let gate: Gatekeeper
    let audit: AuditTrail
    let operation: Operation
    let scope: AccessScope

    func handle(
        _ request: Request,
        context: CallContext,
        next: (Request, CallContext) async throws -> Response
    ) async throws -> Response {
        let build = context.parameters.get("id").map { BuildID(rawValue: String($0)) }
        var context = context
        let ticket = operation.takesTicket ? try Query(request).one("ticket") : nil
        if ticket != nil, request.method == .head {
            // It would be used up for an answer without a body.
            throw Problem(
                405,
                "method_not_allowed",
                "a ticket opens a stream, which HEAD asks nothing of",
                hint: "GET"
            )
        }
        do {
            let (offered, address) = (
                AccessPolicy.bearer(request.headers.value("authorization")), context.caller.address
            )
            context.caller =
                if let ticket {
                    try await gate.admit(ticket: ticket, for: scope, from: address)
                } else {
                    try await gate.admit(offered, for: scope, from: address)
                }
        } catch let refusal as Refusal {
            if operation.isChange {
                try await audit.refused(
                    audit.change(operation.id, of: build, by: refusal.caller),
                    refusal.problem
                )
            }
            throw refusal.problem
        }
        guard operation.isChange else { return try await next(request, context) }
        let change = audit.change(operation.id, of: build, by: context.caller)
        context.change = change
        return try await audit.following(change) { [context] in try await next(request, context) }
    }
}
