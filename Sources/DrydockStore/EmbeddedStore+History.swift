// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import FoundationEssentials
import GRDB

extension EmbeddedStore {
    /// Projects that are remembered: the names are their users' to invent.
    private static let mostProjects = 10_000

    package func history(of project: ProjectName) async throws -> BuildHistory? {
        let learned = try await database.read { db in
            try Data.fetchOne(
                db,
                sql: "SELECT learned FROM histories WHERE project = ?",
                arguments: [project.rawValue]
            )
        }
        // What another version wrote in another form is forgotten: it was no more than a hint.
        return learned.flatMap { try? JSONDecoder().decode(BuildHistory.self, from: $0) }
    }

    package func remember(_ history: BuildHistory, of project: ProjectName) async throws {
        let learned = try JSONEncoder().encode(history)
        try await database.write { db in
            try db.execute(sql: "DELETE FROM histories WHERE project = ?", arguments: [project.rawValue])
            try db.execute(
                sql: "INSERT INTO histories (project, learned) VALUES (?, ?)",
                arguments: [project.rawValue, learned]
            )
            try db.execute(
                sql: "DELETE FROM histories WHERE number <= ?",
                arguments: [db.lastInsertedRowID - Int64(Self.mostProjects)]
            )
        }
    }
}
