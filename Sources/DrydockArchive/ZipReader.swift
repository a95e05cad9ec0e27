// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// Reads a zip archive by its central directory; what local headers say otherwise is an error, not a second truth.
final class ZipReader: ArchiveReader {
    private static let localHeaderSize = 30
    /// Names, extra fields and comments of all entries together.
    private static let longestDirectory: Int64 = 64 << 20
    private static let longestLink: Int64 = 4_095

    private let file: FileDescriptor
    private let directory: ByteReader
    private let dataEnd: Int64
    private var remaining: Int64
    /// Bytes of the file that entries so far lay claim to; overlapping ones would claim more than there are.
    private var claimed: Int64 = 0
    private var content: Content?

    /// The content of the current entry.
    private struct Content {
        let entry: String
        let source: ByteReader
        let record: ZipRecord
        var read: Int64 = 0
        var crc = CRC32()
    }

    /// `file` must stay open as long as the reader lives.
    init(_ file: FileDescriptor, fileSize: Int64, entries limit: Int) throws(ArchiveProblem) {
        let place = try ZipDirectory(file, fileSize: fileSize)
        if place.entries > limit { throw .tooLarge("it has \(place.entries) entries", entry: nil) }
        if place.size > ZipReader.longestDirectory {
            throw .tooLarge("its directory has \(place.size) bytes", entry: nil)
        }
        self.file = file
        directory = ByteReader(FileRange(file, from: place.offset, to: place.offset + place.size))
        dataEnd = place.offset
        remaining = place.entries
    }

    func next() throws(ArchiveProblem) -> ArchiveEntry? {
        content = nil
        if remaining == 0 { return nil }
        remaining -= 1
        let record = try nextRecord()
        let shown = "'\(TreePath.shown(record.name))'"
        try check(record, shown)
        let kind = try kind(record, shown)
        return ArchiveEntry(name: record.name, kind: kind, modified: record.modified)
    }

    func readContent(into buffer: inout [UInt8]) throws(ArchiveProblem) -> Int {
        guard var content else { return 0 }
        let left = content.record.contentSize - content.read
        // One byte more than stated shows an entry that goes on.
        let count = try content.source.read(into: &buffer, atMost: Int(clamping: left + 1))
        if count > left { throw .corrupt("an entry is longer than it says", entry: content.entry) }
        if count == 0 {
            if left > 0 { throw .truncated(entry: content.entry) }
            guard content.crc.value == content.record.crc else {
                throw .corrupt("a checksum is wrong", entry: content.entry)
            }
        }
        content.crc.update(buffer[..<count])
        content.read += Int64(count)
        self.content = content
        return count
    }

    private func nextRecord() throws(ArchiveProblem) -> ZipRecord {
        let fixed = LittleEndian(try directory.take(ZipRecord.size))
        guard fixed.bytes.count == ZipRecord.size, fixed.number(0, 4) == ZipRecord.signature else {
            throw .corrupt("its directory ends too early", entry: nil)
        }
        let length = Int(fixed.number(28, 2) + fixed.number(30, 2) + fixed.number(32, 2))
        let variable = try directory.take(length)
        guard variable.count == length else {
            throw .corrupt("its directory ends too early", entry: nil)
        }
        return ZipRecord(fixed: fixed, variable: variable)
    }

    private func check(_ record: ZipRecord, _ shown: String) throws(ArchiveProblem) {
        if record.flags & 0x2041 != 0 { throw .unreadable(entry: shown, "is encrypted") }
        if record.method != 0 && record.method != 8 {
            throw .unreadable(
                entry: shown,
                "is compressed by method \(record.method); only stored and deflated ones are read"
            )
        }
        let size = record.compressedSize
        if record.offset < 0 || size < 0 || record.contentSize < 0 || size > dataEnd - record.offset {
            throw .corrupt("an entry lies beyond its end", entry: shown)
        }
        if record.method == 0 && size != record.contentSize {
            throw .corrupt("an entry's two sizes differ", entry: shown)
        }
        claimed += size + Int64(ZipReader.localHeaderSize + record.name.count)
        if claimed > dataEnd { throw .corrupt("its entries overlap", entry: shown) }
    }

    private func kind(_ record: ZipRecord, _ shown: String) throws(ArchiveProblem) -> ArchiveEntry.Kind {
        let mode = mode_t(truncatingIfNeeded: record.unixMode ?? 0)
        let isDirectory = record.name.last == UInt8(ascii: "/")
        switch mode & S_IFMT {
        case _ where isDirectory, S_IFDIR: return .directory
        case 0, S_IFREG:
            try openContent(record, shown)
            return .file(size: record.contentSize, executable: mode & 0o100 != 0)
        case S_IFLNK:
            try openContent(record, shown)
            return .symlink(target: try linkTarget(record, shown))
        case S_IFIFO: return .special("a fifo")
        case S_IFCHR: return .special("a character device")
        case S_IFBLK: return .special("a block device")
        default: return .special("no file, directory or link")
        }
    }

    private func linkTarget(_ record: ZipRecord, _ shown: String) throws(ArchiveProblem) -> [UInt8] {
        if record.contentSize > ZipReader.longestLink {
            throw .corrupt("a link's target has \(record.contentSize) bytes", entry: shown)
        }
        var target: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Int(ZipReader.longestLink) + 1)
        while true {
            let count = try readContent(into: &buffer)
            if count == 0 { return target }
            target += buffer[..<count]
        }
    }

    /// Finds the content behind the entry's local header.
    ///
    /// Source: APPNOTE 4.3.7.
    private func openContent(_ record: ZipRecord, _ shown: String) throws(ArchiveProblem) {
        let header = LittleEndian(try readExactly(file, at: record.offset, ZipReader.localHeaderSize))
        let nameLength = header.number(26, 2)
        let nameOffset = record.offset + Int64(ZipReader.localHeaderSize)
        guard header.number(0, 4) == 0x0403_4B50,
            try readExactly(file, at: nameOffset, Int(nameLength)) == record.name
        else { throw .corrupt("an entry is not where the directory says", entry: shown) }
        let start = nameOffset + nameLength + header.number(28, 2)
        guard record.compressedSize <= dataEnd - start else {
            throw .corrupt("an entry lies beyond its end", entry: shown)
        }
        let range = FileRange(file, from: start, to: start + record.compressedSize)
        // One byte more than it states: `readContent` reports that as what it is.
        let source: any ByteSource =
            record.method == 0
            ? range : try InflatingSource(range, .raw, allowance: record.contentSize + 65_536)
        content = Content(entry: shown, source: ByteReader(source), record: record)
    }
}
