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

/// The order in which waiting builds will start, as it stands now: whose session had fewer starts comes first, and each
/// start puts its session one round back.
private struct FairOrder {
    private struct Share {
        let session: String
        let waiting: Int
        let head: Int64
        let starts: Int
    }

    private let shares: [Share]

    init(_ db: Database) throws {
        shares = try Row.fetchAll(
            db,
            sql: "SELECT session, waiting, head, starts FROM shares WHERE waiting > 0"
        ).map { row in
            Share(
                session: BuildRow.value("session", of: row) ?? "",
                waiting: BuildRow.value("waiting", of: row) ?? 0,
                head: BuildRow.value("head", of: row) ?? .max,
                starts: BuildRow.value("starts", of: row) ?? 0
            )
        }
    }

    /// How many builds start before `build`, counted from each session's numbers alone.
    ///
    /// Where two sessions are in the same round, the older head goes first: exact for their next builds, and a guess for
    /// those behind.
    func position(of build: WaitingBuild) -> Int {
        let starts = shares.first { $0.session == build.session }?.starts ?? 0
        let round = starts + build.ahead
        return shares.reduce(build.ahead) { count, other in
            guard other.session != build.session, other.starts <= round else { return count }
            let before = min(round - other.starts, other.waiting)
            let isTied = round - other.starts < other.waiting && other.head < build.number
            return count + before + (isTied ? 1 : 0)
        }
    }
}
