// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS

/// Passes on what another source gives, and works out the digest of it.
final class HashingSource: ByteSource {
    private let input: any ByteSource
    private var hasher: SHA256Hasher? = SHA256Hasher()

    init(_ input: any ByteSource) { self.input = input }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveProblem) -> Int {
        let count = try input.read(into: buffer)
        hasher?.update(UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])))
        return count
    }

    /// The digest of all that was read; nil the second time.
    func finish() -> Digest? { hasher.take()?.finish() }
}
