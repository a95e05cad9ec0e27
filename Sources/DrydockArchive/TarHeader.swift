// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// One 512-byte header block of a tar archive.
///
/// Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
struct TarHeader {
    static let size = 512

    var name: [UInt8]
    var mode: Int64
    /// Bytes of content in the blocks that follow.
    var contentSize: Int64
    var modified: Int64
    /// What kind of entry it is: `0` a file, `5` a directory, and so on.
    var type: UInt8
    var linkName: [UInt8]

    /// Reads a block; nil when its checksum or a number in it is wrong.
    init?(_ block: [UInt8]) {
        guard block.count == TarHeader.size, TarHeader.checksumIsRight(block),
            let mode = TarHeader.number(block[100..<108]),
            let size = TarHeader.number(block[124..<136]), size >= 0,
            let modified = TarHeader.number(block[136..<148])
        else { return nil }
        self.mode = mode
        contentSize = size
        self.modified = modified
        type = block[156]
        linkName = TarHeader.text(block[157..<257])
        name = TarHeader.text(block[0..<100])
        // GNU's old magic is `ustar  `: there the prefix field holds other things.
        if block[257..<263].elementsEqual("ustar\0".utf8) {
            let prefix = TarHeader.text(block[345..<500])
            if !prefix.isEmpty { name = prefix + [UInt8(ascii: "/")] + name }
        }
    }

    /// Two blocks like this one end an archive.
    static func isEnd(_ block: [UInt8]) -> Bool { block.allSatisfy { $0 == 0 } }

    /// Old tars summed up signed bytes; either sum is taken.
    private static func checksumIsRight(_ block: [UInt8]) -> Bool {
        guard let stated = number(block[148..<156]) else { return false }
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for (index, byte) in block.enumerated() {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        return stated == unsigned || stated == signed
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// Octal digits between blanks, or GNU's base 256 for what is too large for them; empty = 0.
    static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 { return binaryNumber(field) }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit), value < 1 << 59 else { return nil }
            value = value << 3 | Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    /// Big-endian; 0x80 in front for positive numbers, 0xFF for negative ones.
    private static func binaryNumber(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first, first == 0x80 || first == 0xFF else { return nil }
        let rest = field.dropFirst()
        let padding: UInt8 = first == 0xFF ? 0xFF : 0
        if rest.dropLast(8).contains(where: { $0 != padding }) { return nil }
        let bits = rest.suffix(8).reduce(rest.count < 8 ? UInt64(padding) * 0x0101_0101_0101_0101 : 0) {
            $0 << 8 | UInt64($1)
        }
        let value = Int64(bitPattern: bits)
        return (value < 0) == (padding == 0xFF) ? value : nil
    }
}

/// The extended attributes that may stand before an entry.
struct PaxRecords {
    var path: [UInt8]?
    var linkPath: [UInt8]?
    var size: Int64?
    var modified: FileTime?
    /// Whether the entry's content is in one of GNU's sparse forms.
    var isSparse = false

    /// Takes over what `bytes`, records of the form `length key=value\n`, say; false when they are malformed.
    ///
    /// Source: POSIX.1-2017 pax, "pax Extended Header".
    mutating func read(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != UInt8(ascii: " ") }
            guard let text = String(validating: digits, as: UTF8.self), let length = Int(text),
                length > digits.count + 2, length <= rest.count
            else { return false }
            let record = rest.prefix(length).dropFirst(digits.count + 1)
            guard record.last == UInt8(ascii: "\n"),
                let equals = record.firstIndex(of: UInt8(ascii: "="))
            else { return false }
            let value = record[(equals + 1)...].dropLast()
            if !take(key: String(decoding: record[..<equals], as: UTF8.self), Array(value)) { return false }
            rest = rest.dropFirst(length)
        }
        return true
    }

    private mutating func take(key: String, _ value: [UInt8]) -> Bool {
        switch key {
        case "path": path = value
        case "linkpath": linkPath = value
        case "size":
            guard let number = Int64(String(decoding: value, as: UTF8.self)), number >= 0 else {
                return false
            }
            size = number
        case "mtime": modified = PaxRecords.time(value)
        default:
            if key.hasPrefix("GNU.sparse.") { isSparse = true }
        }
        return true
    }

    /// Reads `seconds[.fraction]`; nil for what is no time.
    private static func time(_ value: [UInt8]) -> FileTime? {
        let parts = String(decoding: value, as: UTF8.self).split(separator: ".", maxSplits: 1)
        guard let first = parts.first, let seconds = Int64(first) else { return nil }
        let fraction = parts.count > 1 ? parts[1].prefix(9) : ""
        let padded = fraction + String(repeating: "0", count: 9 - fraction.count)
        return FileTime(seconds: seconds, nanoseconds: Int64(padded) ?? 0)
    }
}
