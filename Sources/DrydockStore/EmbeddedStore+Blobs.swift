// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import GRDB

extension EmbeddedStore {
    package func newBlobs() -> any BlobBatch { BlobGroup(blobs) }

    package func newUpload() throws -> any BlobWriter {
        let group = BlobGroup(blobs, uploads: uploads)
        return try BlobFile(blobs) { path, digest throws(StoreError) in
            group.add(path, digest)
            try group.commit()
        }
    }

    package func discardBlob(_ digest: Digest) async throws {
        // In a transaction of its own kind: no build can come to name it between the look and the deletion.
        try await database.write { [uploads, blobs] db in
            let isNamed = try Self.isNamed(digest, db)
            uploads.giveUp(digest) { if !isNamed { blobs.remove(digest) } }
        }
    }

    package func blob(_ digest: Digest) async throws -> Blob? {
        try await Blocking.run { [blobs] in try blobs.open(digest) }
    }
}
