// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import FoundationEssentials
import GRDB

extension EmbeddedStore {
    package func history(of project: ProjectName) async throws -> BuildHistory? {
        try await known(.histories, of: project)
    }

    package func remember(_ history: BuildHistory, of project: ProjectName) async throws {
        try await remember(history, in: .histories, of: project)
    }

    package func ingredients(of project: ProjectName) async throws -> BuildIngredients? {
        try await known(.ingredients, of: project)
    }

    package func remember(_ ingredients: BuildIngredients, of project: ProjectName) async throws {
        try await remember(ingredients, in: .ingredients, of: project)
    }

    /// What another version wrote in another form is forgotten: it was no more than a hint.
    private func known<Value: Decodable>(
        _ table: ProjectMemory,
        of project: ProjectName
    ) async throws -> Value? {
        let learned = try await database.read { db in
            try Data.fetchOne(
                db,
                sql: "SELECT learned FROM \(table.rawValue) WHERE project = ?",
                arguments: [project.rawValue]
            )
        }
        return learned.flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
    }

    private func remember(
        _ value: some Encodable,
        in table: ProjectMemory,
        of project: ProjectName
    ) async throws {
        let learned = try JSONEncoder().encode(value)
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM \(table.rawValue) WHERE project = ?",
                arguments: [project.rawValue]
            )
            try db.execute(
                sql: "INSERT INTO \(table.rawValue) (project, learned) VALUES (?, ?)",
                arguments: [project.rawValue, learned]
            )
            try db.execute(
                sql: "DELETE FROM \(table.rawValue) WHERE number <= ?",
                arguments: [db.lastInsertedRowID - table.most]
            )
        }
    }
}

/// A table of what is remembered of each project, the one that was built last with the highest number.
private enum ProjectMemory: String {
    case histories
    case ingredients

    /// Projects that are remembered: the names are their users' to invent.
    var most: Int64 {
        switch self {
        case .histories: 10_000
        // Up to half a MiB each.
        case .ingredients: 1_000
        }
    }
}
