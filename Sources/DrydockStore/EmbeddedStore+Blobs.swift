// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import GRDB

extension EmbeddedStore {
    package func newBlobs() -> any BlobBatch { BlobGroup(blobs) }

    package func newUpload() throws -> any BlobWriter {
        let group = BlobGroup(blobs)
        return try BlobFile(blobs) { path, digest throws(StoreError) in
            group.add(path, digest)
            try group.commit()
        }
    }

    package func blob(_ digest: Digest) async throws -> Blob? {
        try await Blocking.run { [blobs] in try blobs.open(digest) }
    }
}
