// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import FoundationEssentials
import GRDB

extension EmbeddedStore {
    package func record(_ proof: SandboxProof) async throws {
        let report = try JSONEncoder().encode(proof)
        try await database.write { db in
            try db.execute(sql: "REPLACE INTO proof (id, report) VALUES (1, ?)", arguments: [report])
        }
    }

    /// What another version wrote in another form is none: the next worker writes its own.
    package func latestProof() async throws -> SandboxProof? {
        let report = try await database.read { db in try Data.fetchOne(db, sql: "SELECT report FROM proof") }
        return report.flatMap { try? JSONDecoder().decode(SandboxProof.self, from: $0) }
    }
}
