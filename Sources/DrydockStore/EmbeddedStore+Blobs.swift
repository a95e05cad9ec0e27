// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import Glibc
package import SystemPackage

extension EmbeddedStore {
    package func newBlob() throws -> any BlobWriter { try BlobFile(directory) }

    package func blobPath(_ digest: Digest) throws -> FilePath? {
        guard let path = directory.blob(digest) else { return nil }
        var status = stat()
        if lstat(path.string, &status) == 0 { return path }
        let reason = Errno(rawValue: errno)
        guard reason == .noSuchFileOrDirectory else { throw StoreError.system("reading", path, reason) }
        return nil
    }
}
