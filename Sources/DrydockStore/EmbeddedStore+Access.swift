// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB

extension EmbeddedStore {
    // MARK: Tokens

    package func addToken(_ token: AccessToken, recording: @escaping Recording<AccessToken>) async throws {
        try await database.write { db in
            let isTaken = try Bool.fetchOne(
                db,
                sql: "SELECT EXISTS (SELECT 1 FROM tokens WHERE name = ?)",
                arguments: [token.name.rawValue]
            )
            guard isTaken == false else { throw StoreError.tokenNameTaken(token.name) }
            try db.execute(
                sql: """
                    INSERT INTO tokens (name, digest, scopes, created_at, expires_at, revoked_at)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    token.name.rawValue, token.digest.rawValue,
                    token.scopes.map(\.rawValue).sorted().joined(separator: ","),
                    token.createdAt.milliseconds, token.expiresAt?.milliseconds,
                    token.revokedAt?.milliseconds,
                ]
            )
            try Self.record(recording(token), db)
        }
    }

    package func tokens() async throws -> [AccessToken] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM tokens ORDER BY name").map(Self.token)
        }
    }

    package func hasTokens() async throws -> Bool {
        try await database.read { try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM tokens)") ?? true }
    }

    package func token(_ digest: Digest) async throws -> AccessToken? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM tokens WHERE digest = ?", arguments: [digest.rawValue])
                .map(Self.token)
        }
    }

    package func revokeToken(
        _ name: TokenName,
        recording: @escaping Recording<AccessToken>
    ) async throws -> AccessToken? {
        let now = options.now()
        return try await database.write { db in
            try db.execute(
                sql: "UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL",
                arguments: [now.milliseconds, name.rawValue]
            )
            let row = try Row.fetchOne(
                db,
                sql: "SELECT * FROM tokens WHERE name = ?",
                arguments: [name.rawValue]
            )
            guard let token = row.map(Self.token) else { return nil }
            try Self.record(recording(token), db)
            return token
        }
    }

    /// A row that does not read as what was written is a token that opens nothing.
    private static func token(_ row: Row) -> AccessToken {
        let scopes: String = BuildRow.value("scopes", of: row) ?? ""
        let createdAt: Int64? = BuildRow.value("created_at", of: row)
        var token = AccessToken(
            name: TokenName(unchecked: BuildRow.value("name", of: row) ?? ""),
            digest: Digest(rawValue: BuildRow.value("digest", of: row) ?? ""),
            scopes: Set(scopes.split(separator: ",").compactMap { AccessScope(rawValue: String($0)) }),
            createdAt: Timestamp(milliseconds: createdAt ?? 0),
            expiresAt: moment("expires_at", row),
            revokedAt: moment("revoked_at", row)
        )
        if createdAt == nil { token.revokedAt = Timestamp(milliseconds: 0) }
        return token
    }

    /// A column's moment; nil where nothing stands there.
    ///
    /// What can not be read is a moment long ago.
    private static func moment(_ column: String, _ row: Row) -> Timestamp? {
        let stored: DatabaseValue = row[column]
        if stored.isNull { return nil }
        return Timestamp(milliseconds: Int64.fromDatabaseValue(stored) ?? 0)
    }

    // MARK: Audit

    package func record(_ record: AuditRecord) async throws {
        try await database.write { try Self.record(record, $0) }
    }

    /// Appends to the audit, in the transaction of the change that `record` tells of.
    static func record(_ record: AuditRecord?, _ db: Database) throws {
        guard let record else { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO audit (at, who, address, action, subject, made, status, code)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                record.at.milliseconds, record.who, record.address, record.action, record.subject,
                record.made, record.status, record.code,
            ]
        )
    }

    package func audit(limit: Int) async throws -> [AuditRecord] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM audit ORDER BY number DESC LIMIT ?",
                arguments: [max(limit, 0)]
            ).map { row in
                AuditRecord(
                    at: Timestamp(milliseconds: BuildRow.value("at", of: row) ?? 0),
                    who: BuildRow.value("who", of: row),
                    address: BuildRow.value("address", of: row) ?? "",
                    action: BuildRow.value("action", of: row) ?? "",
                    subject: BuildRow.value("subject", of: row),
                    made: BuildRow.value("made", of: row),
                    status: BuildRow.value("status", of: row) ?? 0,
                    code: BuildRow.value("code", of: row)
                )
            }
        }
    }

    /// Removes the records that are older than `age`, nil = none are, and returns how many; a trial counts them.
    func collectAudit(olderThan age: Duration?, isTrial: Bool) async throws -> Int {
        guard let age else { return 0 }
        let oldest = options.now().advanced(by: .zero - age).milliseconds
        return try await database.write { db in
            let old = "FROM audit WHERE at < ?"
            guard !isTrial else {
                return try Int.fetchOne(db, sql: "SELECT COUNT(*) " + old, arguments: [oldest]) ?? 0
            }
            try db.execute(sql: "DELETE " + old, arguments: [oldest])
            return db.changesCount
        }
    }
}
