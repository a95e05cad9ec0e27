// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import FoundationEssentials
import GRDB

/// Builds as rows of the table `builds`.
///
/// Everything here runs inside somebody's transaction.
enum BuildRows {
    /// How much of a build's journal its row, and what it made, rest on.
    ///
    /// Only a rebuilt index knows other than `whole`: without one, what was written in the row counts.
    enum JournalReading: String {
        case whole
        /// Its beginning and its end: it may have made more than is known.
        case ends
        /// A part of it can not be read: it may have made more than can be known.
        case damaged
    }

    static func find(_ id: BuildID, _ db: Database) throws -> Build? {
        try fetch(db, "WHERE id = ?", [id.rawValue]).first
    }

    /// The build, or `noSuchBuild`.
    static func require(_ id: BuildID, _ db: Database) throws -> Build {
        guard let build = try find(id, db) else { throw StoreError.noSuchBuild(id) }
        return build
    }

    /// `tail` is what comes behind `FROM builds`.
    static func fetch(_ db: Database, _ tail: String, _ arguments: StatementArguments) throws -> [Build] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM builds " + tail)
        return try Row.fetchAll(statement, arguments: arguments).map(BuildRow.build)
    }

    static func insert(_ build: inout Build, _ db: Database) throws {
        build.revision = try nextRevision(db)
        try db.run(
            """
            INSERT INTO builds (id, session, project, state, request, source_blob,
                idempotency_scope, idempotency_key, idempotency_body, attempt, attempts,
                created_at, started_at, finished_at, failure, deploy, revision, submitter)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                build.id.rawValue, build.request.session.rawValue, build.request.project.rawValue,
                build.state.rawValue, try JSONEncoder().encode(build.request),
                build.request.source.archive?.rawValue,
                build.request.idempotency?.scope, build.request.idempotency?.key,
                build.request.idempotency?.body.rawValue,
                build.attempt?.rawValue, build.attempts, build.createdAt.milliseconds,
                build.startedAt?.milliseconds, build.finishedAt?.milliseconds,
                try build.failure.map { try JSONEncoder().encode($0) }, build.deploy?.rawValue,
                build.revision, build.request.submitter?.rawValue ?? "",
            ]
        )
    }

    /// Writes what can change, under a new revision; a build that is not being worked on gives its lease back.
    static func save(_ build: inout Build, _ db: Database) throws {
        build.revision = try nextRevision(db)
        try db.run(
            """
            UPDATE builds SET state = ?, attempt = ?, attempts = ?, started_at = ?, finished_at = ?, failure = ?,
                deploy = ?, revision = ? WHERE id = ?
            """,
            [
                build.state.rawValue, build.attempt?.rawValue, build.attempts, build.startedAt?.milliseconds,
                build.finishedAt?.milliseconds, try build.failure.map { try JSONEncoder().encode($0) },
                build.deploy?.rawValue, build.revision, build.id.rawValue,
            ]
        )
        guard build.state == .queued || build.state.isTerminal else { return }
        try db.run("UPDATE builds SET worker = NULL, lease_until = NULL WHERE id = ?", [build.id.rawValue])
    }

    /// Moves `build` to `state`, or throws `illegalMove`.
    static func move(_ build: inout Build, to state: BuildState) throws {
        guard build.state.allows(state) else {
            throw StoreError.illegalMove(build.id, from: build.state, to: state)
        }
        build.state = state
    }

    static func revision(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(try db.cachedStatement(sql: "SELECT revision FROM counter")) ?? 0
    }

    static func reading(of id: BuildID, _ db: Database) throws -> JournalReading? {
        try String.fetchOne(db, sql: "SELECT journal FROM builds WHERE id = ?", arguments: [id.rawValue])
            .flatMap(JournalReading.init(rawValue:))
    }

    static func setReading(_ reading: JournalReading, of id: BuildID, _ db: Database) throws {
        try db.run("UPDATE builds SET journal = ? WHERE id = ?", [reading.rawValue, id.rawValue])
    }

    /// Who wrote the build's end; nil while there is none, or where nobody knows.
    static func author(ofEnd id: BuildID, _ db: Database) throws -> BuildEnd.Author? {
        try String.fetchOne(db, sql: "SELECT ended_by FROM builds WHERE id = ?", arguments: [id.rawValue])
            .flatMap(BuildEnd.Author.init(rawValue:))
    }

    static func setAuthor(_ author: BuildEnd.Author, of id: BuildID, _ db: Database) throws {
        try db.run("UPDATE builds SET ended_by = ? WHERE id = ?", [author.rawValue, id.rawValue])
    }

    private static func nextRevision(_ db: Database) throws -> Int64 {
        try db.run("UPDATE counter SET revision = revision + 1")
        return try revision(db)
    }
}

extension Database {
    /// Executes a statement that is compiled once for each connection.
    func run(_ sql: String, _ arguments: StatementArguments = []) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
