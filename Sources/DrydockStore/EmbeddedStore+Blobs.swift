// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import GRDB
import Glibc
package import SystemPackage

extension EmbeddedStore {
    package func newBlob() throws -> any BlobWriter { try BlobFile(directory) }

    package func newUpload() throws -> any BlobWriter { try BlobFile(directory, uploads: uploads) }

    package func discardBlob(_ digest: Digest) async throws {
        guard let path = directory.blob(digest) else { return }
        // In a transaction of its own kind: no build can come to name it between the look and the deletion.
        try await database.write { [uploads] db in
            let isNamed = try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM builds WHERE source_blob = :digest)
                        OR EXISTS (SELECT 1 FROM artifacts WHERE digest = :digest)
                    """,
                arguments: ["digest": digest.rawValue]
            )
            uploads.giveUp(digest) { if isNamed == false { unlink(path.string) } }
        }
    }

    package func blobPath(_ digest: Digest) throws -> FilePath? {
        guard let path = directory.blob(digest) else { return nil }
        var status = stat()
        if lstat(path.string, &status) == 0 { return path }
        let reason = Errno(rawValue: errno)
        guard reason == .noSuchFileOrDirectory else { throw StoreError.system("reading", path, reason) }
        return nil
    }
}
