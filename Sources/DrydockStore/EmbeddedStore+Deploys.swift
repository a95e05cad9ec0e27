// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB

extension EmbeddedStore {
    /// In the order of their paths.
    package func artifacts(_ build: BuildID) async throws -> [Artifact] {
        try await readWholeJournal(of: build)
        return try await database.read { try DeployRows.artifacts(of: build, $0) }
    }

    package func artifact(_ build: BuildID, _ path: String) async throws -> Artifact? {
        try await readWholeJournal(of: build)
        return try await database.read { try DeployRows.artifact(of: build, at: path, $0) }
    }

    package func deploy(_ id: DeployID) async throws -> Deploy? {
        try await database.read { try DeployRows.find(id, $0) }
    }
}

/// Artifacts and deploys as rows.
///
/// Everything here runs inside somebody's transaction.
enum DeployRows {
    static func artifacts(of build: BuildID, _ db: Database) throws -> [Artifact] {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT * FROM artifacts WHERE build = ? ORDER BY path",
            arguments: [build.rawValue]
        )
        return rows.map(artifact)
    }

    static func artifact(of build: BuildID, at path: String, _ db: Database) throws -> Artifact? {
        try Row.fetchOne(
            db,
            sql: "SELECT * FROM artifacts WHERE build = ? AND path = ?",
            arguments: [build.rawValue, path]
        ).map(artifact)
    }

    private static func artifact(_ row: Row) -> Artifact {
        Artifact(
            path: row["path"],
            digest: Digest(rawValue: row["digest"]),
            size: ByteCount(row["size"]),
            role: ArtifactRole(rawValue: row["role"]) ?? .other,
            executable: row["executable"]
        )
    }

    static func find(_ id: DeployID, _ db: Database) throws -> Deploy? {
        try Row.fetchOne(db, sql: "SELECT * FROM deploys WHERE id = ?", arguments: [id.rawValue]).map { row in
            Deploy(
                id: id,
                build: BuildID(rawValue: row["build"]),
                preview: PreviewReady(deploy: id, root: row["root"], spa: row["spa"])
            )
        }
    }

    /// The build's artifacts and deploy become these.
    static func replace(
        _ artifacts: [Artifact],
        _ preview: PreviewReady?,
        of build: BuildID,
        _ db: Database
    ) throws {
        try db.run("DELETE FROM artifacts WHERE build = ?", [build.rawValue])
        try add(artifacts, preview, of: build, db)
    }

    /// These come to those that the build has already.
    static func add(
        _ artifacts: [Artifact],
        _ preview: PreviewReady?,
        of build: BuildID,
        _ db: Database
    ) throws {
        for artifact in artifacts {
            try db.run(
                "INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?, ?, ?)",
                [
                    build.rawValue, artifact.path, artifact.digest.rawValue, artifact.size.bytes,
                    artifact.role.rawValue, artifact.executable,
                ]
            )
        }
        guard let preview else { return }
        try db.run(
            "INSERT OR REPLACE INTO deploys VALUES (?, ?, ?, ?)",
            [preview.deploy.rawValue, build.rawValue, preview.root, preview.spa]
        )
    }
}
