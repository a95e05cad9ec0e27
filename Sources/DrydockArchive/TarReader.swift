// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// Reads a tar archive: ustar, pax, and GNU's long names.
final class TarReader: ArchiveReader {
    /// A long name or a set of extended attributes is held in memory; no honest one comes near this.
    private static let longestExtension: Int64 = 1 << 20

    private let reader: ByteReader
    /// Headers that may still come; those that only describe another entry count too.
    private var headers: Int
    /// Of the current entry's content, still to be read.
    private var content: Int64 = 0
    private var padding: Int64 = 0
    private var current: String?
    private var sawHeader = false

    init(_ source: any ByteSource, headers: Int) {
        reader = ByteReader(source)
        self.headers = headers
    }

    func next() throws(ArchiveProblem) -> ArchiveEntry? {
        try skipContent()
        var pax = PaxRecords()
        var longName: [UInt8]?
        var longLink: [UInt8]?
        while let header = try nextHeader() {
            switch header.type {
            case UInt8(ascii: "x"):
                if !pax.read(try takeExtension(header)) {
                    throw .corrupt("an extended header is malformed", entry: current)
                }
            case UInt8(ascii: "g"): try checkGlobal(header)
            case UInt8(ascii: "L"): longName = try takeExtension(header).prefix { $0 != 0 } + []
            case UInt8(ascii: "K"): longLink = try takeExtension(header).prefix { $0 != 0 } + []
            case UInt8(ascii: "V"): try startContent(header.contentSize)
            default:
                var header = header
                header.name = pax.path ?? longName ?? header.name
                header.linkName = pax.linkPath ?? longLink ?? header.linkName
                header.contentSize = pax.size ?? header.contentSize
                return try entry(header, pax)
            }
            try skipContent()
        }
        return nil
    }

    func readContent(into buffer: inout [UInt8]) throws(ArchiveProblem) -> Int {
        if content == 0 { return 0 }
        let count = try reader.read(into: &buffer, atMost: Int(clamping: content))
        if count == 0 { throw .truncated(entry: current) }
        content -= Int64(count)
        return count
    }

    /// The next header; nil at the archive's end mark, with everything after it read, so that gzip's sum is checked.
    private func nextHeader() throws(ArchiveProblem) -> TarHeader? {
        let block = try reader.take(TarHeader.size)
        if block.count < TarHeader.size { throw sawHeader ? .truncated(entry: nil) : .notAnArchive }
        if TarHeader.isEnd(block) {
            _ = try reader.skip(.max)
            return nil
        }
        guard let header = TarHeader(block) else {
            throw sawHeader ? .corrupt("a header's checksum is wrong", entry: current) : .notAnArchive
        }
        sawHeader = true
        headers -= 1
        if headers < 0 { throw .tooLarge("it has too many entries", entry: nil) }
        return header
    }

    private func entry(_ header: TarHeader, _ pax: PaxRecords) throws(ArchiveProblem) -> ArchiveEntry {
        let modified = pax.modified ?? FileTime(seconds: header.modified)
        var entry = ArchiveEntry(name: header.name, kind: .directory, modified: modified)
        current = entry.shownName
        if pax.isSparse || header.type == UInt8(ascii: "S") {
            throw .unreadable(entry: entry.shownName, "is a sparse file")
        }
        entry.kind = try kind(header, entry)
        switch entry.kind {
        case .file: try startContent(header.contentSize)
        case .hardLink where header.contentSize > 0:
            throw .corrupt("a hard link has content of its own", entry: entry.shownName)
        case .directory, .symlink, .hardLink, .special: break
        }
        return entry
    }

    private func kind(
        _ header: TarHeader,
        _ entry: ArchiveEntry
    ) throws(ArchiveProblem) -> ArchiveEntry.Kind {
        switch header.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            // Before ustar a directory was a file whose name ends in a slash.
            if header.name.last == UInt8(ascii: "/") && header.contentSize == 0 { return .directory }
            return .file(size: header.contentSize, executable: header.mode & 0o100 != 0)
        case UInt8(ascii: "1"): return .hardLink(target: header.linkName)
        case UInt8(ascii: "2"): return .symlink(target: header.linkName)
        case UInt8(ascii: "3"): return .special("a character device")
        case UInt8(ascii: "4"): return .special("a block device")
        case UInt8(ascii: "5"): return .directory
        case UInt8(ascii: "6"): return .special("a fifo")
        default:
            throw .unreadable(
                entry: entry.shownName,
                "is of the type '\(TreePath.shown([header.type]))', which is not read here"
            )
        }
    }

    /// What a header for all later entries says is passed over (git writes its commit there), unless it would name them.
    private func checkGlobal(_ header: TarHeader) throws(ArchiveProblem) {
        var global = PaxRecords()
        let isRead = global.read(try takeExtension(header))
        if !isRead || global.path != nil || global.linkPath != nil || global.size != nil || global.isSparse {
            throw .corrupt("a global header names files", entry: current)
        }
    }

    private func takeExtension(_ header: TarHeader) throws(ArchiveProblem) -> [UInt8] {
        if header.contentSize > TarReader.longestExtension {
            throw .tooLarge("a header has \(header.contentSize) bytes", entry: current)
        }
        try startContent(header.contentSize)
        let bytes = try reader.take(Int(content))
        if Int64(bytes.count) < content { throw .truncated(entry: current) }
        content = 0
        return bytes
    }

    private func startContent(_ size: Int64) throws(ArchiveProblem) {
        content = size
        padding = (512 - size % 512) % 512
    }

    private func skipContent() throws(ArchiveProblem) {
        let (rest, overflow) = content.addingReportingOverflow(padding)
        if overflow { throw .corrupt("a size is out of range", entry: current) }
        if try reader.skip(rest) < rest { throw .truncated(entry: current) }
        content = 0
        padding = 0
    }
}
