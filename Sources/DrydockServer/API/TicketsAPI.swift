// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore

/// Makes tickets for who has a token.
struct TicketsAPI: Sendable {
    static let longestOrder = ByteCount(4 << 10)

    private struct View: Encodable {
        let ticket: String
        let sessionID: SessionID
        let expiresIn: Int

        private enum CodingKeys: String, CodingKey {
            case ticket
            case sessionID = "session_id"
            case expiresIn = "expires_in"
        }
    }

    private enum Wish {
        case session(SessionID)
        case build(BuildID)
    }

    let store: any Store
    let gate: Gatekeeper

    func create(_ request: Request, as change: RequestedChange) async throws -> Response {
        let (wish, scope) = try await Self.read(request)
        var (caller, change) = (change.caller, change)
        let session: SessionID
        switch wish {
        case .session(let named):
            session = named
            caller.reach = .session(named)
        case .build(let id):
            guard let build = try await store.build(id) else { throw Problem.notFound("build \(id)") }
            session = build.request.session
            caller.reach = .build(id)
            change.build = id
        }
        caller.most = try await self.scope(scope ?? .read, of: caller)
        let ticket = try gate.tickets.issue(to: caller)
        do {
            try await store.record(change.record(201))
        } catch {
            // None that nobody knows of.
            _ = gate.tickets.redeem(ticket)
            throw error
        }
        let seconds = Int(TicketOffice.lifetime.components.seconds)
        return try .json(View(ticket: ticket, sessionID: session, expiresIn: seconds), status: 201)
    }

    /// What the ticket is good for, which must not be more than the caller has.
    private func scope(_ wish: AccessScope, of caller: Caller) async throws -> AccessScope {
        do {
            try await gate.confirm(caller, for: wish)
            return wish
        } catch let refusal as Refusal {
            throw refusal.problem
        }
    }

    private static func read(_ request: Request) async throws -> (Wish, AccessScope?) {
        guard let body = try? await request.body.collect(upTo: Int(longestOrder.bytes)) else {
            throw invalid("the body may have \(longestOrder)")
        }
        guard let value = try? BoundedJSONReader.read(Array(body.readableBytesView), bounds: .client) else {
            throw invalid("the body is no JSON object")
        }
        guard value.object?.values.contains(.null) != true else {
            throw invalid("what is null says nothing: leave it out")
        }
        let fields: Fields
        let (session, build, scope): (String?, String?, String?)
        do throws(FieldProblem) {
            fields = try Field(value, "the body", .message).fields()
            try fields.require(only: ["session_id", "build_id", "scope"])
            session = try fields.optional("session_id")
            build = try fields.optional("build_id")
            scope = try fields.optional("scope")
        } catch {
            throw Problem(400, "order_invalid", error.message, hint: error.hint)
        }
        return (try wish(session, build), try scope.map(Self.scope))
    }

    private static func wish(_ session: String?, _ build: String?) throws(Problem) -> Wish {
        switch (session, build) {
        case (let session?, nil): return .session(try BuildNames.session(session))
        case (nil, let build?):
            guard (1...64).contains(build.utf8.count) else { throw .notFound("build \(build.prefix(64))") }
            return .build(BuildID(rawValue: build))
        default: throw invalid("a ticket is for one session or one build")
        }
    }

    private static func scope(_ text: String) throws(Problem) -> AccessScope {
        switch text {
        case "read": return .read
        case "build": return .build
        default: throw invalid("there is no ticket with the scope \"\(text.prefix(40))\"")
        }
    }

    private static func invalid(_ detail: String) -> Problem {
        Problem(
            400,
            "order_invalid",
            detail,
            hint: #"send {"session_id":"s"} or {"build_id":"b_…"}, and "scope":"read" or "build""#
        )
    }
}
