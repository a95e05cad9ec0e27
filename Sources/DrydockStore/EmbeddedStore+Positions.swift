// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB

extension EmbeddedStore {
    package func queuePositions(_ ids: [BuildID]) async throws -> [BuildID: Int] {
        guard !ids.isEmpty else { return [:] }
        return try await database.read { db in
            let waiting = try ids.compactMap { try WaitingBuild.find($0, db) }
            guard !waiting.isEmpty else { return [:] }
            let order = try FairOrder(db)
            return Dictionary(waiting.map { ($0.id, order.position(of: $0)) }) { first, _ in first }
        }
    }
}

/// A build in the queue, as far as its place there goes.
private struct WaitingBuild {
    let id: BuildID
    let number: Int64
    let session: String
    /// Builds of its session that come before it.
    let ahead: Int

    static func find(_ id: BuildID, _ db: Database) throws -> WaitingBuild? {
        let sql = """
            SELECT number, session, (
                SELECT COUNT(*) FROM builds AS older
                WHERE older.session = mine.session AND older.state = 'queued' AND older.number < mine.number
            ) AS ahead
            FROM builds AS mine WHERE id = ? AND state = 'queued'
            """
        return try Row.fetchOne(db, sql: sql, arguments: [id.rawValue]).map { row in
            WaitingBuild(
                id: id,
                number: row["number"],
                session: BuildRow.value("session", of: row) ?? "",
                ahead: row["ahead"]
            )
        }
    }
}

/// The order in which waiting builds will start, as it stands now: each start puts its submitter, and among a submitter's its
/// session, one round back.
///
/// Exact for the next build of each session, and a guess for those behind: a session counts whole as that submitter's of those
/// who wait in it whose turn comes first, and nothing that runs ends.
private struct FairOrder {
    /// Who takes turns with others, for as many builds as wait.
    private struct Party {
        let name: String
        var waiting: Int
        /// The number of the oldest of them.
        var head: Int64
        /// The turn of its next build: what counts most comes first.
        var turn: [Int]

        /// Counts what `part` has waiting as its own.
        mutating func take(_ part: Party) {
            waiting += part.waiting
            head = min(head, part.head)
        }

        /// How many of its builds start before one that is the `ahead`th of `other` and has the number `number`.
        func count(before other: Party, _ ahead: Int, _ number: Int64) -> Int {
            // Each start moves every part of the turn by one: so many surely come first, and one more may.
            let rounds = (other.turn.first ?? 0) + ahead - (turn.first ?? 0)
            guard rounds >= 0 else { return 0 }
            guard rounds < waiting else { return waiting }
            let mine = turn.dropFirst().map { $0 + rounds }
            let its = other.turn.dropFirst().map { $0 + ahead }
            let isTied = mine == its
            let isFirst = isTied ? head < number : mine.lexicographicallyPrecedes(its)
            return rounds + (isFirst ? 1 : 0)
        }
    }

    private var submitters: [String: Party] = [:]
    private var sessions: [String: [Party]] = [:]
    /// In whose turn a session's next build starts.
    private var submitter: [String: String] = [:]

    init(_ db: Database) throws {
        let shares = try Row.fetchAll(
            db,
            sql: "SELECT session, waiting, head, starts FROM shares WHERE waiting > 0"
        )
        let places = try Row.fetchAll(
            db,
            sql: """
                SELECT session, submitter, submitters.running AS running, submitters.starts AS starts
                FROM places JOIN submitters USING (submitter)
                WHERE places.waiting > 0 ORDER BY submitters.running, submitters.starts
                """
        )
        for row in places {
            let session = BuildRow.value("session", of: row) ?? ""
            let name = BuildRow.value("submitter", of: row) ?? ""
            if submitter[session] == nil { submitter[session] = name }
            let turn = [BuildRow.value("running", of: row) ?? 0, BuildRow.value("starts", of: row) ?? 0]
            submitters[name] = Party(name: name, waiting: 0, head: .max, turn: turn)
        }
        for row in shares {
            let session = Party(
                name: BuildRow.value("session", of: row) ?? "",
                waiting: BuildRow.value("waiting", of: row) ?? 0,
                head: BuildRow.value("head", of: row) ?? .max,
                turn: [BuildRow.value("starts", of: row) ?? 0]
            )
            let submitter = submitter[session.name] ?? ""
            sessions[submitter, default: []].append(session)
            submitters[submitter]?.take(session)
        }
    }

    /// How many builds start before `build`.
    func position(of build: WaitingBuild) -> Int {
        let name = submitter[build.session] ?? ""
        let mine = sessions[name] ?? []
        guard let session = mine.first(where: { $0.name == build.session }) else { return build.ahead }
        let ahead = Self.count(mine, before: session, build.ahead, build.number)
        guard let submitter = submitters[name] else { return ahead }
        return Self.count(Array(submitters.values), before: submitter, ahead, build.number)
    }

    private static func count(_ parties: [Party], before mine: Party, _ ahead: Int, _ number: Int64) -> Int {
        parties.reduce(ahead) { count, other in
            other.name == mine.name ? count : count + other.count(before: mine, ahead, number)
        }
    }
}
