// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import GRDB
import Glibc
import SystemPackage

extension EmbeddedStore {
    /// Tries both for real: a row is written, and a file of one block.
    package func checkWritable() async throws {
        let file = directory.path.appending("writable.probe")
        try await database.write { db in
            try db.execute(sql: "UPDATE counter SET revision = revision")
            // On the database's own thread, where waiting for the disk stops no task.
            try Self.writeProbe(file)
        }
    }

    private static func writeProbe(_ path: FilePath) throws(StoreError) {
        defer { unlink(path.string) }
        do throws(Errno) {
            let file = try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_NOFOLLOW)
            try file.withDescriptor { file throws(Errno) in
                try FileContents.write([UInt8](repeating: 0x2E, count: 4 << 10)[...], to: file)
                try FileContents.sync(file)
            }
        } catch {
            throw .system("writing", path, error)
        }
    }
}
