// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// Little-endian numbers in a record.
struct LittleEndian {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) { self.bytes = Array(bytes)[...] }

    /// `width` bytes at `offset`; 0 beyond the end, so check `bytes.count` first.
    func number(_ offset: Int, _ width: Int) -> Int64 {
        guard offset >= 0, offset + width <= bytes.count else { return 0 }
        let value = bytes[offset..<(offset + width)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(clamping: value)
    }
}

/// One entry of a zip's central directory.
///
/// Source: APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.4.
struct ZipRecord {
    static let size = 46
    static let signature: Int64 = 0x0201_4B50

    var name: [UInt8]
    var flags: Int64
    var method: Int64
    var crc: UInt32
    var compressedSize: Int64
    var contentSize: Int64
    /// Where its local header stands.
    var offset: Int64
    /// `st_mode` where it was packed on Unix, else nil.
    var unixMode: Int64?
    var modified: FileTime

    /// Reads the fixed part, then `variable`: name, extra fields and comment as its lengths say.
    init(fixed: LittleEndian, variable: [UInt8]) {
        let nameLength = Int(fixed.number(28, 2))
        name = Array(variable.prefix(nameLength))
        flags = fixed.number(8, 2)
        method = fixed.number(10, 2)
        crc = UInt32(truncatingIfNeeded: fixed.number(16, 4))
        compressedSize = fixed.number(20, 4)
        contentSize = fixed.number(24, 4)
        offset = fixed.number(42, 4)
        let madeBy = fixed.number(5, 1)
        unixMode = madeBy == 3 || madeBy == 19 ? fixed.number(38, 4) >> 16 : nil
        modified = ZipRecord.dosTime(date: fixed.number(14, 2), time: fixed.number(12, 2))
        readExtra(variable.dropFirst(nameLength).prefix(Int(fixed.number(30, 2))))
    }

    private mutating func readExtra(_ extra: ArraySlice<UInt8>) {
        var rest = extra
        while rest.count >= 4 {
            let head = LittleEndian(rest.prefix(4))
            let body = LittleEndian(rest.dropFirst(4).prefix(Int(head.number(2, 2))))
            switch head.number(0, 2) {
            case 0x0001: readZip64(body)
            case 0x5455 where body.number(0, 1) & 1 == 1 && body.bytes.count >= 5:
                let seconds = Int32(truncatingIfNeeded: body.number(1, 4))
                modified = FileTime(seconds: Int64(seconds))
            default: break
            }
            rest = rest.dropFirst(4 + Int(head.number(2, 2)))
        }
    }

    /// The large forms of those numbers that are all ones, in this order.
    ///
    /// Source: APPNOTE 4.5.3.
    private mutating func readZip64(_ body: LittleEndian) {
        var position = 0
        for field in [\ZipRecord.contentSize, \ZipRecord.compressedSize, \ZipRecord.offset]
        where self[keyPath: field] == 0xFFFF_FFFF && position + 8 <= body.bytes.count {
            self[keyPath: field] = body.number(position, 8)
            position += 8
        }
    }

    /// Local time of wherever it was packed, taken as UTC.
    ///
    /// Source: APPNOTE 4.4.6.
    private static func dosTime(date: Int64, time: Int64) -> FileTime {
        let month = max((date >> 5) & 15, 1)
        // Days from civil: years begin in March, so that a leap day comes last.
        let year = 1_980 + (date >> 9) - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + max(date & 31, 1) - 1
        let days = year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
        let seconds = (time >> 11) * 3_600 + ((time >> 5) & 63) * 60 + (time & 31) * 2
        return FileTime(seconds: days * 86_400 + seconds)
    }
}

/// Where a zip's central directory is.
///
/// Source: APPNOTE 4.3.14 to 4.3.16.
struct ZipDirectory {
    var entries: Int64
    var offset: Int64
    var size: Int64

    private static let endSize = 22
    private static let longestComment = 65_535

    /// Finds it from the end of the file; throws where it contradicts the file's size.
    init(_ file: FileDescriptor, fileSize: Int64) throws(ArchiveProblem) {
        let tailSize = min(fileSize, Int64(ZipDirectory.endSize + ZipDirectory.longestComment))
        let tail = try readExactly(file, at: fileSize - tailSize, Int(tailSize))
        guard let place = ZipDirectory.findEnd(in: tail) else { throw .truncated(entry: nil) }
        let end = LittleEndian(tail[place...])
        let endOffset = fileSize - tailSize + Int64(place)
        entries = end.number(10, 2)
        size = end.number(12, 4)
        offset = end.number(16, 4)
        var directoryEnd = endOffset
        if entries == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
            directoryEnd = try readZip64(file, endOffset: endOffset) ?? endOffset
        } else if end.number(4, 2) != 0 || end.number(6, 2) != 0 {
            throw .unsupported("one part of a zip in several parts")
        }
        let (stop, overflow) = offset.addingReportingOverflow(size)
        if overflow || stop != directoryEnd {
            throw .corrupt("its directory is not where it says", entry: nil)
        }
    }

    /// The last signature whose comment reaches exactly to the end of the file.
    private static func findEnd(in tail: [UInt8]) -> Int? {
        guard tail.count >= endSize else { return nil }
        for place in stride(from: tail.count - endSize, through: 0, by: -1)
        where tail[place] == 0x50 && tail[place + 1] == 0x4B && tail[place + 2] == 5 && tail[place + 3] == 6 {
            let comment = Int(tail[place + 20]) | Int(tail[place + 21]) << 8
            if place + endSize + comment == tail.count { return place }
        }
        return nil
    }

    /// Takes over the zip64 numbers and returns where their record stands; nil when there is none.
    private mutating func readZip64(
        _ file: FileDescriptor,
        endOffset: Int64
    ) throws(ArchiveProblem) -> Int64? {
        guard endOffset >= 20 else { return nil }
        let locator = LittleEndian(try readExactly(file, at: endOffset - 20, 20))
        guard locator.number(0, 4) == 0x0706_4B50 else { return nil }
        let place = locator.number(8, 8)
        guard place >= 0, place <= endOffset - 20 - 56 else {
            throw .corrupt("its zip64 directory is not where it says", entry: nil)
        }
        let record = LittleEndian(try readExactly(file, at: place, 56))
        guard record.number(0, 4) == 0x0606_4B50 else {
            throw .corrupt("its zip64 directory is not where it says", entry: nil)
        }
        entries = record.number(32, 8)
        size = record.number(40, 8)
        offset = record.number(48, 8)
        return place
    }
}

/// Reads `count` bytes at `offset`, or throws.
func readExactly(
    _ file: FileDescriptor,
    at offset: Int64,
    _ count: Int
) throws(ArchiveProblem) -> [UInt8] {
    let (end, overflow) = offset.addingReportingOverflow(Int64(count))
    if overflow || offset < 0 { throw .truncated(entry: nil) }
    let bytes = try ByteReader(FileRange(file, from: offset, to: end)).take(count)
    if bytes.count < count { throw .truncated(entry: nil) }
    return bytes
}
