// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// How much an archive may unpack to; checked by what it says before its bytes are touched, and again while they come.
package struct ArchiveCaps: Codable, Hashable, Sendable {
    /// Entries of all kinds, headers without an entry of their own included.
    package var entries: Int
    /// Sum of all files' sizes.
    package var bytes: ByteCount
    /// Size of one file.
    package var fileSize: ByteCount
    /// Names in a path.
    package var depth: Int
    /// Bytes in one name.
    package var nameLength: Int
    /// How many times its own size an archive may unpack to, beyond the first `freeBytes`.
    package var ratio: Int64
    package var freeBytes: ByteCount

    package init(
        entries: Int = 200_000,
        bytes: ByteCount = .gibibytes(2),
        fileSize: ByteCount = .gibibytes(1)
    ) {
        self.entries = entries
        self.bytes = bytes
        self.fileSize = fileSize
        depth = 64
        nameLength = 255
        ratio = 200
        freeBytes = .mebibytes(64)
    }

    /// What an archive of `size` bytes may unpack to, in bytes.
    func allowance(archiveSize size: Int64) -> Int64 {
        let (product, overflow) = size.multipliedReportingOverflow(by: ratio)
        if overflow { return bytes.bytes }
        return min(bytes.bytes, product.addingReportingOverflow(freeBytes.bytes).partialValue)
    }
}

/// What was unpacked.
package struct UnpackSummary: Codable, Hashable, Sendable {
    /// Regular files.
    package var files: Int
    /// Their sizes' sum.
    package var bytes: ByteCount
    /// The single top-level directory that was left out, if there was one.
    package var stripped: String?

    package init(files: Int = 0, bytes: ByteCount = ByteCount(0), stripped: String? = nil) {
        self.files = files
        self.bytes = bytes
        self.stripped = stripped
    }
}
