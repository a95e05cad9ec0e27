// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import SystemPackage

@testable import DrydockArchive

/// Archives, read entry by entry; nothing is unpacked.
enum ArchiveFuzz {
    private static let headerSize = 512
    /// What one input may decompress to.
    private static let allowance: Int64 = 4 << 20
    private static let entries = 10_000

    /// Bare or gzipped, as the first bytes have it; bare ones a second time with checksums made right.
    static func tar(_ bytes: [UInt8]) {
        if bytes.starts(with: [0x1F, 0x8B]) {
            read { () throws(ArchiveProblem) in
                let inflated = try InflatingSource(MemorySource(bytes), .gzip, allowance: allowance)
                return TarReader(inflated, headers: entries)
            }
        } else {
            read { TarReader(MemorySource(bytes), headers: entries) }
            read { TarReader(MemorySource(withRightSums(bytes)), headers: entries) }
        }
    }

    static func zip(_ bytes: [UInt8]) {
        let file = ScratchFile.shared
        file.hold(bytes)
        read { () throws(ArchiveProblem) in
            try ZipReader(file.descriptor, fileSize: Int64(bytes.count), entries: entries)
        }
    }

    private static func read(_ open: () throws(ArchiveProblem) -> any ArchiveReader) {
        do throws(ArchiveProblem) {
            let reader = try open()
            var buffer = [UInt8](repeating: 0, count: 4_096)
            var found = 0
            while let entry = try reader.next() {
                found += 1
                precondition(found <= entries)
                _ = entry.shownName
                guard case .file(let size, _) = entry.kind else { continue }
                var count: Int64 = 0
                while true {
                    let piece = try reader.readContent(into: &buffer)
                    if piece == 0 { break }
                    count += Int64(piece)
                    precondition(count <= size)
                }
                precondition(count == size)
            }
        } catch {
            _ = error.failure
        }
    }

    /// Every block that looks like a header, with the checksum it should have: mutation alone hardly ever finds one.
    private static func withRightSums(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for start in stride(from: 0, through: bytes.count - headerSize, by: headerSize)
        where bytes[(start + 257)..<(start + 262)].elementsEqual("ustar".utf8) {
            let field = (start + 148)..<(start + 156)
            bytes.replaceSubrange(field, with: repeatElement(0x20, count: 8))
            let sum = bytes[start..<(start + headerSize)].reduce(0) { $0 + Int($1) }
            let digits = String(sum, radix: 8)
            let text = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
            bytes.replaceSubrange(field, with: text.utf8)
        }
        return bytes
    }
}

/// Bytes in memory.
private final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveProblem) -> Int {
        let count = min(buffer.count, bytes.count - offset)
        buffer.copyBytes(from: bytes[offset..<(offset + count)])
        offset += count
        return count
    }
}

/// A file in memory without a name: zips are read from a descriptor.
private final class ScratchFile {
    nonisolated(unsafe) static let shared = ScratchFile()

    let descriptor: FileDescriptor

    private init() {
        var path = Array("/dev/shm/drydock-fuzz-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        precondition(file >= 0 && unlink(path) == 0, "no file in /dev/shm")
        descriptor = FileDescriptor(rawValue: file)
    }

    func hold(_ bytes: [UInt8]) {
        precondition(ftruncate(descriptor.rawValue, 0) == 0)
        precondition(pwrite(descriptor.rawValue, bytes, bytes.count, 0) == bytes.count)
    }
}
