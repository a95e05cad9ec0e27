// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockStore
import DrydockTestSupport
import Testing

@testable import DrydockServer

@Suite("Tickets", .timeLimit(.minutes(1)))
struct TicketTests {
    private static func withTokens(
        _ body: @escaping @Sendable (RunningServer) async throws -> Void
    ) async throws {
        try await withServer { server in
            for (name, scope) in [("reader", AccessScope.read), ("builder", .build)] {
                try await server.store.addToken(
                    AccessToken(
                        name: TokenName(unchecked: name),
                        digest: SHA256Hasher.digest(of: name.utf8),
                        scopes: [scope],
                        createdAt: .now(),
                        expiresAt: nil
                    )
                )
            }
            try await body(server)
        }
    }

    private static func order(
        _ server: RunningServer,
        _ token: String,
        _ body: String
    ) async throws -> RawResponse {
        try await server.request(
            "POST",
            "/api/v1/tickets",
            headers: ["Authorization": "Bearer \(token)"],
            body: Array(body.utf8)
        )
    }

    private static func ticket(
        _ server: RunningServer,
        _ token: String,
        _ body: String
    ) async throws -> String {
        let answer = try await order(server, token, body)
        #expect(answer.status == 201 && answer.json?["expires_in"] == .number(30))
        return try #require(answer.json?["ticket"]?.string)
    }

    /// The status of an upgrade at `target`.
    private static func upgrade(_ target: String, _ client: RawClient) async throws -> Int {
        try await client.request("GET", target, headers: RawClient.handshake)
        return try await client.head().status
    }

    @Test("a ticket of a session opens /ws once, for that session and no other")
    func session() async throws {
        try await Self.withTokens { server in
            let build = try await server.enqueue("s")
            let ticket = try await Self.ticket(server, "builder", #"{"session_id":"s","scope":"build"}"#)
            #expect(ticket.utf8.count == 43)
            try await server.connect { client in
                #expect(try await Self.upgrade("/ws?ticket=\(ticket)", client) == 101)
                try await client.say(#"{"type":"INIT","session_id":"other"}"#)
                let refusal = try await client.message()
                #expect(refusal["data"]?["code"]?.string == "session_not_allowed")
                try await client.say(#"{"type":"INIT","session_id":"s"}"#)
                #expect(try await client.messages(until: "BUILD_STARTED").count == 1)
                try await client.say(#"{"type":"CANCEL","build_id":"\#(build.id)"}"#)
                _ = try await client.messages(until: "build_error")
            }
            #expect(try await server.connect { try await Self.upgrade("/ws?ticket=\(ticket)", $0) } == 401)
            let records = try await server.store.audit(limit: 9)
            #expect(
                records.map { "\($0.who ?? "") \($0.action)" } == [
                    "builder cancelBuild", "builder createTicket",
                ]
            )
        }
    }

    @Test("a ticket does what it was made for, what its token does, and ends with it")
    func scope() async throws {
        try await Self.withTokens { server in
            let build = try await server.enqueue("s")
            let narrow = try await Self.ticket(server, "builder", #"{"session_id":"s"}"#)
            try await server.connect { client in
                #expect(try await Self.upgrade("/ws?ticket=\(narrow)", client) == 101)
                try await client.say(#"{"type":"INIT","session_id":"s"}"#)
                try await client.say(#"{"type":"CANCEL","build_id":"\#(build.id)"}"#)
                let refusal = try await client.messages(until: "error").last
                #expect(refusal?["data"]?["code"]?.string == "scope_missing")
            }
            #expect(
                try await Self.order(server, "reader", #"{"session_id":"s","scope":"build"}"#).status == 403
            )
            let late = try await Self.ticket(server, "reader", #"{"session_id":"s"}"#)
            _ = try await server.store.revokeToken(TokenName(unchecked: "reader"))
            #expect(try await server.connect { try await Self.upgrade("/ws?ticket=\(late)", $0) } == 401)
        }
    }

    @Test("a stream of events takes a ticket of its build or session, once; no other address takes one")
    func events() async throws {
        try await Self.withTokens { server in
            let (mine, other) = (try await server.enqueue("s"), try await server.enqueue("t"))
            for build in [mine, other] {
                let ended = try await server.begin()
                #expect(ended.lease.build.id == build.id)
                try await ended.finish()
            }
            for wish in [#"{"session_id":"s"}"#, #"{"build_id":"\#(mine.id)"}"#] {
                func ask(_ build: BuildID, _ rest: String = "events") async throws -> Int {
                    let ticket = try await Self.ticket(server, "reader", wish)
                    let target = "/api/v1/builds/\(build)/\(rest)?ticket=\(ticket)"
                    let answer = try await server.request(
                        "GET",
                        target,
                        headers: ["Accept": "text/event-stream"]
                    )
                    #expect(try await server.request("GET", target).status == 401, "it is used up")
                    return answer.status
                }
                #expect(try await ask(mine.id) == 200)
                #expect(try await ask(other.id) == 403)
                #expect(try await ask(mine.id, "logs") == 401)
            }
        }
    }

    @Test("HEAD uses no ticket up: it is refused, whatever the ticket is")
    func head() async throws {
        try await Self.withTokens { server in
            let build = try await server.enqueue("s")
            try await server.begin().finish()
            let ticket = try await Self.ticket(server, "reader", #"{"build_id":"\#(build.id)"}"#)
            let target = "/api/v1/builds/\(build.id)/events?ticket="
            for ticket in [ticket, "none"] {
                let answer = try await server.request("HEAD", target + ticket)
                #expect(answer.status == 405 && answer.headers["allow"] == "GET")
            }
            let token = ["Authorization": "Bearer reader"]
            let head = try await server.request("HEAD", "/api/v1/builds/\(build.id)/events", headers: token)
            #expect(head.status == 200)
            #expect(try await server.request("HEAD", "/ws?ticket=\(ticket)").status == 426)
            #expect(try await server.request("GET", target + ticket).status == 200)
        }
    }

    @Test("a ticket of a build registers for no session in profile 0")
    func build() async throws {
        try await Self.withTokens { server in
            let build = try await server.enqueue("s")
            let ticket = try await Self.ticket(server, "reader", #"{"build_id":"\#(build.id)"}"#)
            try await server.connect { client in
                #expect(try await Self.upgrade("/ws?ticket=\(ticket)", client) == 101)
                try await client.say(#"{"type":"INIT","session_id":"s"}"#)
                let refusal = try await client.message()
                #expect(refusal["data"]?["code"]?.string == "session_not_allowed")
                #expect(refusal["data"]?["message"]?.string?.contains(build.id.rawValue) == true)
            }
        }
    }

    @Test("a ticket of a build opens profile 1 of that build, and of nothing else its session does")
    func stream() async throws {
        try await Self.withTokens { server in
            let build = try await server.enqueue("s")
            let other = try await server.enqueue("s")
            let ticket = try await Self.ticket(server, "reader", #"{"build_id":"\#(build.id)"}"#)
            try await server.connect { client in
                #expect(try await Self.upgrade("/ws?ticket=\(ticket)", client) == 101)
                try await client.follow("s", #""from":"start","builds":{"\#(other.id)":{"seq":0}}"#)
                for named in [build, other] {
                    let work = try await server.begin()
                    #expect(work.lease.build.id == named.id)
                    try await work.finish()
                }
                _ = try await server.enqueue("s")
                let seen = try await client.toTheEnd()
                #expect(seen.records(of: build.id).numbers == [1, 2])
                try await client.say(#"{"type":"PING"}"#)
                let rest = try await client.messages(until: "PONG")
                #expect(
                    Set((seen + rest).compactMap { $0["data"]?["build_id"]?.string }) == [build.id.rawValue]
                )
                try await client.follow("t")
                let refusal = try await client.messages(until: "error").last
                #expect(refusal?["data"]?["code"]?.string == "build_unknown")
            }
        }
    }

    @Test(
        "an order that asks for nothing, too much or something else is refused",
        arguments: [
            ("{}", 400), ("[]", 400), ("", 400), (#"{"session_id":"s","build_id":"b_1"}"#, 400),
            (#"{"session_id":"s","build_id":null}"#, 400), (#"{"session_id":""}"#, 400),
            (#"{"session_id":1}"#, 400), (#"{"session_id":"s","x":1}"#, 400),
            (#"{"session_id":"s","scope":"admin"}"#, 400), (#"{"build_id":"b_none"}"#, 404),
            (#"{"session_id":"\#(String(repeating: "s", count: 5_000))"}"#, 413),
        ]
    )
    func refused(body: String, status: Int) async throws {
        try await Self.withTokens { server in
            let answer = try await Self.order(server, "builder", body)
            #expect(answer.status == status)
        }
    }

    @Test(
        "tickets are bounded in number, for each token and in all, and room comes back as they are used or end"
    )
    func bounds() throws {
        let clock = ManualClock()
        let office = TicketOffice(most: 3, perToken: 2) { clock.now }
        func caller(_ name: String) -> Caller {
            Caller(identity: .listed(SHA256Hasher.digest(of: name.utf8)), address: "local")
        }
        let first = try office.issue(to: caller("a"))
        let second = try office.issue(to: caller("a"))
        #expect(throws: (any Error).self) { try office.issue(to: caller("a")) }
        let third = try office.issue(to: caller("b"))
        #expect(throws: (any Error).self) { try office.issue(to: caller("c")) }
        #expect(office.redeem(first) == caller("a"))
        #expect(office.redeem(first) == nil)
        _ = try office.issue(to: caller("c"))
        clock.advance(by: .seconds(30))
        #expect(office.redeem(second) == nil && office.redeem(third) == nil && office.redeem("") == nil)
        for _ in 0..<100 { #expect(try office.redeem(office.issue(to: caller("a"))) != nil) }
    }
}
