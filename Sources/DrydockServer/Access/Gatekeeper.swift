// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockStore
import Logging

/// Says who may do what by their token: those of the configuration's file may do everything, those of the store what their
/// scopes say, as long as they last.
///
/// The store is asked each time: a token that was made or revoked counts with the next request.
struct Gatekeeper: Sendable {
    let store: any AccessStore
    /// Digests of the tokens of the file.
    let listed: [Digest]
    /// Whether only this machine can reach the server: others never get in without a token.
    let listensOnLoopback: Bool
    let tickets: TicketOffice
    let now: @Sendable () -> Timestamp
    let logger: Logger

    /// Whether requests need a token.
    func asksForToken() async throws -> Bool {
        if !listed.isEmpty || !listensOnLoopback { return true }
        return try await store.hasTokens()
    }

    /// Lets in who may do what takes `scope`; `offered` = what the client sent, nil = nothing.
    ///
    /// Throws a problem, and in it who it was where that is known.
    func admit(_ offered: String?, for scope: AccessScope, from address: String) async throws -> Caller {
        guard let offered else {
            if try await asksForToken() { throw Self.unauthorized("a bearer token is needed") }
            return Caller(identity: .anyone, address: address)
        }
        let digest = SHA256Hasher.digest(of: offered.utf8)
        if isListed(digest) { return Caller(identity: .listed(digest), address: address) }
        if let token = try await store.token(digest) {
            let caller = Caller(identity: .token(token.name, digest), address: address)
            try judge(token, scope, caller)
            return caller
        }
        if try await asksForToken() { throw Self.unauthorized(Self.unknown) }
        return Caller(identity: .anyone, address: address)
    }

    /// Lets in who has a ticket, as far as whoever made it still may do what takes `scope`; it is used up in any case.
    func admit(ticket: String, for scope: AccessScope, from address: String) async throws -> Caller {
        guard var caller = tickets.redeem(ticket) else {
            throw Problem(
                401,
                "unauthorized",
                "the ticket is not known: it was used, or is older than 30 seconds",
                hint: "ask for another one: POST /api/v1/tickets"
            )
        }
        caller.address = address
        try await confirm(caller, for: scope)
        return caller
    }

    /// Asks again for somebody who was let in before: what a connection holds on to may have been revoked since.
    func confirm(_ caller: Caller, for scope: AccessScope) async throws {
        if let most = caller.most, !most.covers(scope) {
            let problem = Problem(
                403,
                "scope_missing",
                "this takes a ticket with the scope \"\(scope.rawValue)\", and yours has \(most.rawValue)",
                hint: "ask for a ticket with \"scope\":\"\(scope.rawValue)\""
            )
            throw Refusal(caller: caller, problem: problem)
        }
        switch caller.identity {
        case .listed: return
        case .anyone: if try await asksForToken() { throw Self.unauthorized("a bearer token is needed") }
        case .token(_, let digest):
            guard let token = try await store.token(digest) else { throw Self.unauthorized(Self.unknown) }
            try judge(token, scope, caller)
        }
    }

    private func judge(_ token: AccessToken, _ scope: AccessScope, _ caller: Caller) throws(Refusal) {
        let state = token.state(at: now())
        guard state == .valid else {
            // Only here: who holds a token that is worth nothing learns nothing of why.
            logger.notice(
                "the token \(token.name) is \(state.rawValue)",
                metadata: ["from": "\(caller.address)"]
            )
            throw Refusal(caller: caller, problem: Self.unauthorized(Self.unknown))
        }
        guard token.allows(scope) else {
            let has = token.scopes.map(\.rawValue).sorted().joined(separator: ", ")
            let problem = Problem(
                403,
                "scope_missing",
                "this takes a token with the scope \"\(scope.rawValue)\", and yours has \(has.isEmpty ? "none" : has)",
                hint: "ask the operator for one: `drydock token create NAME --scope \(scope.rawValue)`"
            )
            throw Refusal(caller: caller, problem: problem)
        }
    }

    /// Digests are compared, and every one in full: the time says nothing about how much of a token was right.
    private func isListed(_ digest: Digest) -> Bool {
        let offered = Array(digest.rawValue.utf8)
        return listed.reduce(false) { Self.equal(Array($1.rawValue.utf8), offered) || $0 }
    }

    private static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static let unknown = "the bearer token is not known"

    private static func unauthorized(_ detail: String) -> Problem {
        Problem(
            401,
            "unauthorized",
            detail,
            hint:
                "send `Authorization: Bearer TOKEN`; on /ws also as subprotocol `bearer.TOKEN` beside `drydock`, or as \"token\" in INIT"
        )
    }
}

/// Why somebody who is known was not let in.
struct Refusal: Error {
    let caller: Caller
    let problem: Problem
}
