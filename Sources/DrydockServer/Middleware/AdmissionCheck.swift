// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Hummingbird
import HummingbirdCore

/// Lets through who may do what the operation does, by their bearer token, and records what changes something.
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
        let change = AuditTrail.Change(
            action: operation.id,
            build: context.parameters.get("id").map { BuildID(rawValue: String($0.prefix(64))) }
        )
        var context = context
        do {
            let offered = AccessPolicy.bearer(request.headers.value("authorization"))
            context.caller = try await gate.admit(offered, for: scope, from: context.caller.address)
        } catch let refusal as Refusal {
            if operation.isChange { try await audit.refused(change, by: refusal.caller, refusal.problem) }
            throw refusal.problem
        }
        guard operation.isChange else { return try await next(request, context) }
        return try await audit.following(change, by: context.caller) { [context] in
            let response = try await next(request, context)
            // A new build is where its answer says.
            let made = response.headers.value("location")?.split(separator: "/").last.map(String.init)
            let answer = AuditTrail.Answer(
                status: response.status.code,
                made: made.map(BuildID.init(rawValue:))
            )
            return (response, answer)
        }
    }
}
