// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
import Glibc
package import SystemPackage

/// Why there is no disk image.
package enum DiskImageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A call failed: its name.
    case call(String, Errno)
    /// The program that makes file systems was not found; the places that were looked at.
    case noFormatter([String])
    /// It did not end in this time, and was killed.
    case formatterHangs(Duration)
    /// It ended with this.
    case notFormatted(String)

    package var description: String {
        switch self {
        case .call(let name, let reason): "\(name): \(reason)"
        case .noFormatter(let places): "mke2fs is not in \(places.joined(separator: ", "))"
        case .formatterHangs(let patience): "mke2fs did not end within \(patience.components.seconds) seconds"
        case .notFormatted(let ending): "mke2fs: \(ending)"
        }
    }
}

/// What an empty ext4 of one size consists of: the few blocks that are not zero, to be written into any number of sparse
/// files in less than a millisecond.
package struct ImageTemplate: Sendable {
    /// Bytes of the whole image.
    package let size: Int64
    private let pieces: [Piece]

    private struct Piece {
        var offset: Int64
        var bytes: [UInt8]
    }

    static let block: Int64 = 4_096
    private static let group = 32_768 * block
    static let inode: Int64 = 256
    /// What the kernel keeps for its own growth: 2 %, and no more than this.
    ///
    /// Source: ext4, `s_resv_clusters`.
    private static let mostReserved = 4_096 * block
    /// Files, directories and links that fit where `bytes` of content do: one for each 4 KiB, a thousand at least, a million
    /// at most.
    package static func inodes(holding bytes: Int64) -> Int64 { min(max(bytes / block, 1_024), 1_000_000) }

    /// The size of an image in which `bytes` of content fit.
    ///
    /// Beside them: the table of inodes, what the kernel reserves, four blocks for each group, and half a MiB.
    package static func size(holding bytes: Int64) -> Int64 {
        let content = (bytes + block - 1) / block * block
        let groups = content / group + 2
        let reserved = min(content / 45, mostReserved) / block * block
        return content + inodes(holding: bytes) * inode + reserved + (groups * 4 + 128) * block
    }

    /// The most bytes of content whose image is no larger than `size`; 0 where none is.
    package static func contents(of size: Int64) -> Int64 {
        // The overhead shrinks with the contents, so what fits the larger one fits.
        let estimate = size - (self.size(holding: size) - size)
        return max(0, estimate / block * block)
    }

    /// Has `formatter` make the file system, in memory, which takes about 10 ms.
    package init(holding bytes: Int64, by formatter: ImageFormatter = ImageFormatter()) throws(DiskImageError)
    {
        size = Self.size(holding: bytes)
        var number: Int32 = -1
        try Self.check("memfd_create", cos_memory_file("drydock-image", size, &number))
        let file = OwnedDescriptor(taking: FileDescriptor(rawValue: number))
        try formatter.format(file, inodes: Self.inodes(holding: bytes))
        pieces = try file.withDescriptor { file throws(DiskImageError) in try Self.pieces(of: file.rawValue) }
    }

    /// Makes the empty file an image: its size, and the blocks that are not zero.
    package func write(to file: FileDescriptor) throws(DiskImageError) {
        try Self.check("ftruncate", ftruncate(file.rawValue, off_t(size)) == 0 ? 0 : -errno)
        for piece in pieces {
            let count = pwrite(file.rawValue, piece.bytes, piece.bytes.count, off_t(piece.offset))
            let isWhole = count == piece.bytes.count
            try Self.check("pwrite", isWhole ? 0 : count < 0 ? -errno : -ENOSPC)
        }
    }

    private static func pieces(of file: Int32) throws(DiskImageError) -> [Piece] {
        var pieces: [Piece] = []
        var end: Int64 = 0
        while true {
            let start = cos_next_data(file, end)
            if start == -Int64(ENXIO) { return pieces }
            try check("lseek", Int32(clamping: min(start, 0)))
            end = cos_next_hole(file, start)
            try check("lseek", Int32(clamping: min(end, 0)))
            var bytes = [UInt8](repeating: 0, count: Int(end - start))
            let count = pread(file, &bytes, bytes.count, off_t(start))
            try check("pread", count == bytes.count ? 0 : -EIO)
            pieces.append(Piece(offset: start, bytes: bytes))
        }
    }

    static func check(_ call: String, _ result: Int32) throws(DiskImageError) {
        if result < 0 { throw .call(call, Errno(rawValue: -result)) }
    }
}
