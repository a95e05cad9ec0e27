// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import SystemPackage

/// What an archive is, by its first bytes; names and media types are not asked.
enum ArchiveFormat: Hashable {
    case tar
    case gzippedTar
    case zip

    init(firstBytes: [UInt8]) throws(ArchiveProblem) {
        let others: [([UInt8], String)] = [
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "compressed by xz"),
            (Array("BZh".utf8), "compressed by bzip2"),
            ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd"),
            ([0x37, 0x7A, 0xBC, 0xAF], "a 7z archive"),
            (Array("Rar!".utf8), "a RAR archive"),
        ]
        if firstBytes.isEmpty { throw .empty }
        if firstBytes.starts(with: [0x1F, 0x8B]) {
            self = .gzippedTar
        } else if firstBytes.starts(with: [0x50, 0x4B, 3, 4]) || firstBytes.starts(with: [0x50, 0x4B, 5, 6]) {
            self = .zip
        } else if let other = others.first(where: { firstBytes.starts(with: $0.0) }) {
            throw .unsupported(other.1)
        } else if firstBytes.count == TarHeader.size {
            if TarHeader(firstBytes) == nil && !TarHeader.isEnd(firstBytes) { throw .notAnArchive }
            self = .tar
        } else {
            throw .notAnArchive
        }
    }

    /// Makes the reader for `file`, which must stay open as long as that lives.
    static func reader(
        _ file: FileDescriptor,
        size: Int64,
        caps: ArchiveCaps
    ) throws(ArchiveProblem) -> any ArchiveReader {
        let start = ByteReader(FileRange(file, from: 0, to: size))
        let format = try ArchiveFormat(firstBytes: try start.take(TarHeader.size))
        let whole = FileRange(file, from: 0, to: size)
        // Room for the headers and padding between the files.
        let allowance = caps.allowance(archiveSize: size) + Int64(caps.entries) * 2_048
        switch format {
        case .tar: return TarReader(whole, headers: caps.entries)
        case .gzippedTar:
            return TarReader(
                try InflatingSource(whole, .gzip, allowance: allowance),
                headers: caps.entries
            )
        case .zip: return try ZipReader(file, fileSize: size, entries: caps.entries)
        }
    }
}
