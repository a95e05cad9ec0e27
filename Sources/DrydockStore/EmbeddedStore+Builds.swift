// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB

extension EmbeddedStore {
    package func build(_ id: BuildID) async throws -> Build? {
        try await database.read { try BuildRows.find(id, $0) }.map { damage.checking([$0])[0] }
    }

    package func builds(_ filter: BuildFilter) async throws -> [Build] {
        let builds = try await database.read { db in
            var conditions: [String] = []
            var arguments: [(any DatabaseValueConvertible)?] = []
            if let session = filter.session {
                conditions.append("session = ?")
                arguments.append(session.rawValue)
            }
            if let project = filter.project {
                conditions.append("project = ?")
                arguments.append(project.rawValue)
            }
            if !filter.states.isEmpty {
                let marks = filter.states.map { _ in "?" }.joined(separator: ", ")
                conditions.append("state IN (\(marks))")
                arguments += filter.states.map(\.rawValue)
            }
            if let before = filter.before {
                let number = try Int64.fetchOne(
                    db,
                    sql: "SELECT number FROM builds WHERE id = ?",
                    arguments: [before.rawValue]
                )
                guard let number else { throw StoreError.noSuchBuild(before) }
                conditions.append("number < ?")
                arguments.append(number)
            }
            arguments.append(min(max(filter.limit, 1), 200))
            let condition = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
            return try BuildRows.fetch(
                db,
                condition + " ORDER BY number DESC LIMIT ?",
                StatementArguments(arguments)
            )
        }
        return damage.checking(builds)
    }

    package func changes(after revision: Int64, limit: Int) async throws -> [Build] {
        let builds = try await database.read { db in
            try BuildRows.fetch(
                db,
                "WHERE revision > ? ORDER BY revision LIMIT ?",
                [revision, max(limit, 0)]
            )
        }
        return damage.checking(builds)
    }

    package func counts() async throws -> StoreCounts {
        try await database.read { db in
            var builds: [BuildState: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT state, COUNT(*) AS count FROM builds GROUP BY state")
            {
                // A state that can not be read is shown as errored.
                let state = BuildRow.value("state", of: row).flatMap(BuildState.init(rawValue:)) ?? .errored
                builds[state, default: 0] += BuildRow.value("count", of: row) ?? 0
            }
            let oldest = try Int64.fetchOne(
                db,
                sql: "SELECT MIN(created_at) FROM builds WHERE state = 'queued'"
            )
            return StoreCounts(
                builds: builds,
                oldestQueued: oldest.map(Timestamp.init(milliseconds:)),
                revision: try BuildRows.revision(db)
            )
        }
    }

    /// Yields once at the start, so that its consumer begins with a look; ends when the store is closed.
    package func changeBell() throws -> AsyncStream<Void> { bells.changes() }

    package func attempts(_ build: BuildID) async throws -> [AttemptID] {
        try await database.read { db in
            _ = try BuildRows.require(build, db)
            let ids = try String.fetchAll(
                db,
                sql: "SELECT id FROM attempts WHERE build = ? ORDER BY number",
                arguments: [build.rawValue]
            )
            return ids.map(AttemptID.init(rawValue:))
        }
    }
}
