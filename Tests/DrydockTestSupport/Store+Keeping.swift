// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockStore

extension Store {
    /// Keeps `content` as a blob, written in pieces of so many bytes.
    package func keep(_ content: some Collection<UInt8>, pieces: Int = 1 << 20) throws -> Digest {
        let blobs = newBlobs()
        let blob = try blobs.newBlob()
        let content = Array(content)
        for start in stride(from: 0, to: content.count, by: pieces) {
            try content[start..<min(start + pieces, content.count)].withUnsafeBytes { try blob.write($0) }
        }
        let digest = try blob.finish()
        try blobs.commit()
        return digest
    }
}
