// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import GRDB
import Testing

@testable import DrydockStore

@Suite("Tokens and audit", .timeLimit(.minutes(1)))
struct AccessConformanceTests {
    static let ci = TokenName(unchecked: "ci")

    private func token(_ name: TokenName, _ secret: String, at now: Timestamp) -> AccessToken {
        AccessToken(
            name: name,
            digest: SHA256Hasher.digest(of: secret.utf8),
            scopes: [.read, .build],
            createdAt: now,
            expiresAt: now.advanced(by: .seconds(60))
        )
    }

    private func record(_ action: String, at moment: Timestamp) -> AuditRecord {
        AuditRecord(
            at: moment,
            who: "ci",
            address: "127.0.0.1",
            action: action,
            subject: "b_1",
            made: "b_2",
            status: 403,
            code: "scope_missing"
        )
    }

    @Test(
        "a token is found by its digest, by whatever store; revoked, it stays and keeps its name",
        arguments: StoreKind.all
    )
    func tokens(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (store, other) = (try scope.open(), try scope.open())
            let now = scope.clock.wall
            #expect(try await !store.hasTokens())
            let made = token(Self.ci, "secret", at: now)
            try await store.addToken(made)
            #expect(try await other.hasTokens())
            #expect(try await other.token(made.digest) == made)
            #expect(try await other.token(SHA256Hasher.digest(of: "other".utf8)) == nil)
            #expect(
                made.state(at: now) == .valid && made.state(at: now.advanced(by: .seconds(60))) == .expired
            )
            await #expect(throws: StoreError.tokenNameTaken(Self.ci)) {
                try await other.addToken(token(Self.ci, "another", at: now))
            }
            let revoked = try #require(try await other.revokeToken(Self.ci))
            #expect(revoked.revokedAt == now)
            scope.clock.advanceWall(by: .seconds(5))
            #expect(try await store.revokeToken(Self.ci) == revoked)
            #expect(try await store.token(made.digest)?.state(at: now) == .revoked)
            #expect(try await store.tokens() == [revoked])
            #expect(try await store.hasTokens(), "who asked for tokens once goes on asking")
            #expect(try await store.revokeToken(TokenName(unchecked: "nobody")) == nil)
            await #expect(throws: StoreError.tokenNameTaken(Self.ci)) {
                try await store.addToken(token(Self.ci, "again", at: now))
            }
        }
    }

    @Test(
        "the audit gives back what was recorded, the newest first; retention lets old records go",
        arguments: StoreKind.all
    )
    func audit(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (store, other) = (try scope.open(), try scope.open())
            var records: [AuditRecord] = []
            for action in ["createBuild", "cancelBuild", "retryBuild"] {
                records.insert(record(action, at: scope.clock.wall), at: 0)
                try await store.record(records[0])
                scope.clock.advanceWall(by: .seconds(60))
            }
            #expect(try await other.audit(limit: 10) == records)
            #expect(try await other.audit(limit: 1) == [records[0]])
            #expect(try await other.collectGarbage(Retention(), isTrial: false)?.records == 0)
            var retention = Retention()
            retention.age = .seconds(150)
            #expect(try await other.collectGarbage(retention, isTrial: true)?.records == 1)
            #expect(try await store.audit(limit: 10).count == 3)
            #expect(try await other.collectGarbage(retention, isTrial: false)?.records == 1)
            #expect(try await store.audit(limit: 10) == Array(records.prefix(2)))
        }
    }

    @Test(
        "a change and its record are one: neither stands without the other, and what changes nothing has none",
        arguments: StoreKind.all
    )
    func together(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (store, other) = (try scope.open(), try scope.open())
            let now = scope.clock.wall
            let made = try await store.enqueue(request(key: "k")) { build in
                AuditRecord(
                    at: now,
                    who: "ci",
                    address: "a",
                    action: "make",
                    made: "\(build.id)",
                    status: 202
                )
            }
            #expect(try await other.audit(limit: 9).map(\.made) == ["\(made.id)"])
            // A repetition changes nothing, and was asked for all the same.
            _ = try await store.enqueue(request(key: "k")) { _ in record("again", at: now) }
            let none = BuildID(rawValue: "b_none")
            _ = try await store.requestCancel(none, by: "x", reason: "") { answer in
                answer == .noSuchBuild ? nil : record("never", at: now)
            }
            _ = try await store.requestCancel(made.id, by: "x", reason: "") { answer in
                AuditRecord(at: now, who: nil, address: "a", action: "\(answer)", status: 202)
            }
            let ci = token(Self.ci, "secret", at: now)
            try await store.addToken(ci) { _ in record("add", at: now) }
            await #expect(throws: StoreError.tokenNameTaken(Self.ci)) {
                try await store.addToken(ci) { _ in record("never", at: now) }
            }
            _ = try await store.revokeToken(Self.ci) { _ in record("revoke", at: now) }
            _ = try await store.revokeToken(TokenName(unchecked: "nobody")) { _ in record("never", at: now) }
            let actions = try await other.audit(limit: 9).map(\.action)
            #expect(actions == ["revoke", "add", "cancelled", "again", "make"])
        }
    }

    @Test("a change whose record can not be written is not made")
    func unrecorded() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let now = scope.clock.wall
            let build = try await store.enqueue(request())
            let ci = token(Self.ci, "secret", at: now)
            try await store.addToken(ci)
            try await store.database.write { db in
                let sql =
                    "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END"
                try db.execute(sql: sql)
            }
            let record = record("change", at: now)
            let changes: [@Sendable () async throws -> Void] = [
                { _ = try await store.enqueue(request()) { _ in record } },
                { _ = try await store.requestCancel(build.id, by: "x", reason: "") { _ in record } },
                {
                    try await store.addToken(token(TokenName(unchecked: "new"), "other", at: now)) { _ in
                        record
                    }
                },
                { _ = try await store.revokeToken(Self.ci) { _ in record } },
            ]
            for change in changes { await #expect(throws: StoreError.self) { try await change() } }
            #expect(try await store.builds(BuildFilter()) == [build])
            #expect(try await store.tokens() == [ci])
        }
    }

    @Test("a record can not be changed, and a token's row that was tampered with opens nothing")
    func tampered() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            try await store.record(record("createBuild", at: scope.clock.wall))
            await #expect(throws: StoreError.self) {
                try await store.database.write { try $0.execute(sql: "UPDATE audit SET who = 'nobody'") }
            }
            #expect(try await store.audit(limit: 1).first?.who == "ci")

            let made = token(Self.ci, "secret", at: scope.clock.wall)
            try await store.addToken(made)
            for (change, isFatal) in [
                ("expires_at = 'never'", true), ("scopes = 'everything'", false),
                ("created_at = x'00'", true),
            ] {
                try await store.database.write { try $0.execute(sql: "UPDATE tokens SET " + change) }
                let read = try #require(try await store.token(made.digest))
                #expect(!isFatal || read.state(at: scope.clock.wall) != .valid, "\(change)")
                #expect(isFatal || !AccessScope.allCases.contains(where: read.allows), "\(change)")
            }
        }
    }

    @Test("each scope covers those before it")
    func scopes() {
        for (held, allowed) in [(AccessScope.read, 1), (.build, 2), (.admin, 3)] {
            #expect(AccessScope.allCases.filter(held.covers) == Array(AccessScope.allCases.prefix(allowed)))
        }
    }
}
