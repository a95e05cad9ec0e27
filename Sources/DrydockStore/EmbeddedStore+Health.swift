// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

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
        let descriptor = Glibc.open(path.string, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("opening", path, Errno(rawValue: errno)) }
        defer {
            Glibc.close(descriptor)
            unlink(path.string)
        }
        let block = [UInt8](repeating: 0x2E, count: 4 << 10)
        guard Glibc.write(descriptor, block, block.count) == block.count, fsync(descriptor) == 0 else {
            throw .system("writing", path, Errno(rawValue: errno == 0 ? ENOSPC : errno))
        }
    }
}
