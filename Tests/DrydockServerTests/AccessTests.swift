// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockStore
import FoundationEssentials
import Testing

@testable import DrydockServer

@Suite("Who may do what, and who did", .timeLimit(.minutes(1)))
struct AccessTests {
    private static let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0]

    private func add(
        _ name: String,
        _ scopes: AccessScope...,
        until end: Timestamp? = nil,
        to store: EmbeddedStore
    )
        async throws
    {
        try await store.addToken(
            AccessToken(
                name: TokenName(unchecked: name),
                digest: SHA256Hasher.digest(of: "secret-\(name)".utf8),
                scopes: Set(scopes),
                createdAt: .now(),
                expiresAt: end
            )
        )
    }

    private func bearer(_ name: String) -> [String: String] { ["Authorization": "Bearer secret-\(name)"] }

    @Test("a token whose queue is full is refused, retries too, and nobody else")
    func fullQueue() async throws {
        try await withServer { _ in
        } storing: {
            $0.queuedPerSubmitter = 1
        } _: { server in
            for name in ["agent", "person"] { try await add(name, .build, to: server.store) }
            func post(_ target: String, as name: String) async throws -> RawResponse {
                let body = target.hasSuffix("retry") ? [] : Self.gzip
                return try await server.request("POST", target, headers: bearer(name), body: body)
            }
            let first = try await post("/api/v1/builds?session_id=a", as: "agent")
            let id = try #require(first.json?["id"]?.string)
            for target in ["/api/v1/builds?session_id=b", "/api/v1/builds/\(id)/retry"] {
                let refused = try await post(target, as: "agent")
                #expect(refused.status == 429 && refused.json?["code"]?.string == "queue_full")
                #expect(refused.json?["detail"]?.string == "your token already has 1 builds waiting")
            }
            // Whose a repetition is goes by who asks for it.
            #expect(try await post("/api/v1/builds/\(id)/retry", as: "person").status == 202)
            #expect(try await post("/api/v1/builds?session_id=a", as: "person").status == 429)
        }
    }

    @Test("every operation is done with its scope and refused without, by the table")
    func scopes() async throws {
        try await withServer { server in
            try await add("reader", .read, to: server.store)
            try await add("builder", .build, to: server.store)
            try await add("nobody", to: server.store)
            let document = try await server.request("GET", "/api/openapi.json").json
            var judged = 0
            for (path, methods) in document?["paths"]?.object ?? [:] {
                for (method, operation) in methods.object ?? [:] {
                    let scope = operation["security"]?.array?.first?["token"]?.array?.first?.string
                    guard let scope = scope.flatMap(AccessScope.init(rawValue:)) else { continue }
                    judged += 1
                    let target = path.replacing("{id}", with: "b_1").replacing("{path}", with: "x")
                    for (name, held) in [("reader", AccessScope.read), ("builder", .build), ("nobody", nil)] {
                        let answer = try await server.request(
                            method.uppercased(),
                            target,
                            headers: bearer(name)
                        )
                        let isRefused =
                            answer.status == 403 && answer.json?["code"]?.string == "scope_missing"
                        #expect(isRefused == (held?.covers(scope) != true), "\(method) \(path) \(name)")
                        if isRefused {
                            #expect(answer.json?["detail"]?.string?.contains(scope.rawValue) == true)
                        }
                    }
                    #expect(try await server.request(method.uppercased(), target).status == 401)
                }
            }
            #expect(judged >= 10)
        }
    }

    @Test(
        "a running server knows a new token, a revoked one and an expired one at once, and tells none apart"
    )
    func atOnce() async throws {
        try await withServer { server in
            func list(_ headers: [String: String] = [:]) async throws -> RawResponse {
                try await server.request("GET", "/api/v1/builds", headers: headers)
            }
            #expect(try await list().status == 200)
            #expect(try await list(bearer("x")).status == 200, "nobody asks for tokens yet")
            try await add("x", .read, to: server.store)
            try await add("old", .admin, until: Timestamp.now().advanced(by: .seconds(-1)), to: server.store)
            #expect(try await list().status == 401)
            #expect(try await list(bearer("x")).status == 200)
            let expired = try await list(bearer("old"))
            _ = try await server.store.revokeToken(TokenName(unchecked: "x"))
            let revoked = try await list(bearer("x"))
            let unknown = try await list(bearer("never"))
            #expect(unknown.status == 401)
            #expect(expired.json == unknown.json && revoked.json == unknown.json)
            #expect(try await list().status == 401, "the last one was revoked: the door stays shut")
        }
    }

    @Test("tokens of the file do everything, beside those of the store")
    func listed() async throws {
        try await withServer {
            $0.tokens = [SHA256Hasher.digest(of: "file".utf8)]
        } _: { server in
            let headers = ["Authorization": "Bearer file"]
            let made = try await server.request("POST", "/api/v1/builds", headers: headers, body: Self.gzip)
            #expect(made.status == 202)
            let record = try #require(try await server.store.audit(limit: 10).first)
            #expect(record.who == "sha256:" + SHA256Hasher.digest(of: "file".utf8).hex.prefix(12))
        }
    }

    @Test("every change has its record, a refused one too where its token is known; nothing else has")
    func audit() async throws {
        try await withServer { server in
            // Before there are tokens.
            let open = try await server.request("POST", "/api/v1/builds", body: Self.gzip)
            _ = try await server.request("POST", "/api/v1/builds", body: Array("no archive".utf8))
            try await add("reader", .read, to: server.store)
            try await add("builder", .build, to: server.store)
            let id = open.json?["id"]?.string ?? ""
            let again = try await server.request(
                "POST",
                "/api/v1/builds/\(id)/retry",
                headers: bearer("builder")
            )
            _ = try await server.request("DELETE", "/api/v1/builds/\(id)", headers: bearer("builder"))
            _ = try await server.request("DELETE", "/api/v1/builds/\(id)", headers: bearer("reader"))
            _ = try await server.request("DELETE", "/api/v1/builds/b_none", headers: bearer("builder"))
            let ticket = Array(#"{"build_id":"\#(id)"}"#.utf8)
            _ = try await server.request("POST", "/api/v1/tickets", headers: bearer("reader"), body: ticket)
            _ = try await server.store.revokeToken(TokenName(unchecked: "reader"))
            _ = try await server.request("DELETE", "/api/v1/builds/\(id)", headers: bearer("reader"))
            _ = try await server.request("DELETE", "/api/v1/builds/\(id)", headers: bearer("guessed"))
            _ = try await server.request("GET", "/api/v1/builds/\(id)", headers: bearer("builder"))
            let document = try await server.request("GET", "/api/openapi.json").json
            let changes = (document?["paths"]?.object ?? [:]).values.flatMap { methods in
                (methods.object ?? [:]).filter { $0.key != "get" }.values.map { $0["operationId"]?.string }
            }
            let records = try await server.store.audit(limit: 100)
            // Whoever adds one shows here that it is recorded.
            #expect(Set(changes) == Set(records.map(\.action)))
            #expect(records.allSatisfy { $0.address == "127.0.0.1" })
            let told = records.reversed().map { record in
                [record.who, record.action, record.subject, record.made, "\(record.status)", record.code]
                    .map { $0 ?? "-" }.joined(separator: " ")
            }
            #expect(
                told == [
                    "- createBuild - \(id) 202 -",
                    "builder retryBuild \(id) \(again.json?["id"]?.string ?? "") 202 -",
                    "builder cancelBuild \(id) - 202 -",
                    "reader cancelBuild \(id) - 403 scope_missing",
                    "builder cancelBuild b_none - 404 not_found",
                    "reader createTicket \(id) - 201 -",
                    "reader cancelBuild \(id) - 401 unauthorized",
                ]
            )
        }
    }

    @Test("a change that can not be recorded is not made, over HTTP and over /ws")
    func unrecorded() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            try await server.store.refuseRecords()
            let path = "/api/v1/builds"
            for (method, target) in [
                ("POST", path), ("POST", "\(path)/\(build.id)/retry"), ("DELETE", "\(path)/\(build.id)"),
            ] {
                let body = target == path ? Self.gzip : []
                #expect(
                    try await server.request(method, target, body: body).status == 500,
                    "\(method) \(target)"
                )
            }
            try await server.watch("s") { viewer in
                for wish in ["RETRY", "CANCEL"] {
                    try await viewer.say(#"{"type":"\#(wish)","build_id":"\#(build.id)"}"#)
                    let refusal = try await viewer.messages(until: "error").last
                    #expect(refusal?["data"]?["code"]?.string == "internal")
                }
            }
            #expect(try await server.store.builds(BuildFilter()) == [build])
        }
    }

    @Test(
        "/ws takes the scope read to watch and build to change, with the token as it is now; changes are recorded"
    )
    func webSocket() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            try await add("reader", .read, to: server.store)
            try await add("builder", .build, to: server.store)
            try await add("nobody", to: server.store)
            /// The last message, of the type `end`, after a wish for a change.
            func answer(
                _ name: String,
                _ wish: String,
                _ end: String,
                before: @escaping @Sendable () async throws -> Void = {}
            ) async throws
                -> JSON?
            {
                try await server.connect { client in
                    let headers = RawClient.handshake.merging(bearer(name)) { $1 }
                    try await client.request("GET", "/ws", headers: headers)
                    #expect(try await client.head().status == 101)
                    try await client.say(#"{"type":"INIT","session_id":"s"}"#)
                    try await client.say(#"{"type":"PING"}"#)
                    _ = try await client.messages(until: "PONG")
                    try await before()
                    try await client.say(#"{"type":"\#(wish)","build_id":"\#(build.id)"}"#)
                    return try await client.messages(until: end).last
                }
            }
            try await server.connect { client in
                let headers = RawClient.handshake.merging(bearer("nobody")) { $1 }
                try await client.request("GET", "/ws", headers: headers)
                #expect(try await client.head().status == 403)
            }
            let refused = try await answer("reader", "CANCEL", "error")
            #expect(refused?["data"]?["code"]?.string == "scope_missing")
            #expect(try await answer("builder", "CANCEL", "build_error") != nil)
            let late = try await answer("builder", "RETRY", "error") {
                _ = try await server.store.revokeToken(TokenName(unchecked: "builder"))
            }
            #expect(late?["data"]?["code"]?.string == "unauthorized")
            let records = try await server.store.audit(limit: 10).reversed()
            #expect(records.map(\.action) == ["cancelBuild", "cancelBuild", "retryBuild"])
            #expect(records.map(\.who) == ["reader", "builder", "builder"])
            #expect(records.map(\.status) == [403, 202, 401])
        }
    }
}
