// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// Bytes that come in order.
protocol ByteSource: AnyObject {
    /// Reads up to a buffer full; 0 at the end and ever after.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveProblem) -> Int
}

/// A part of a file, read at positions of its own, so that the descriptor's position does not matter.
final class FileRange: ByteSource {
    private let file: FileDescriptor
    private var offset: Int64
    private let end: Int64

    /// `file` must stay open as long as the range is read.
    init(_ file: FileDescriptor, from offset: Int64, to end: Int64) {
        self.file = file
        self.offset = offset
        self.end = end
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveProblem) -> Int {
        let wanted = Int(min(Int64(buffer.count), end - offset))
        if wanted <= 0 { return 0 }
        while true {
            let count = pread(file.rawValue, buffer.baseAddress, wanted, off_t(offset))
            if count >= 0 {
                offset += Int64(count)
                return count
            }
            let error = Errno.current
            if error != .interrupted { throw .read(error) }
        }
    }
}

/// Takes exact pieces from a source.
final class ByteReader {
    private static let chunkSize = 64 * 1_024

    private let source: any ByteSource
    private var buffer = [UInt8](repeating: 0, count: ByteReader.chunkSize)
    private var start = 0
    private var end = 0

    init(_ source: any ByteSource) { self.source = source }

    /// Reads what is at hand, up to `limit` bytes, to the front of `target`; 0 at the end.
    func read(into target: inout [UInt8], atMost limit: Int) throws(ArchiveProblem) -> Int {
        if start == end { try fill() }
        let count = min(end - start, target.count, limit)
        target.replaceSubrange(0..<count, with: buffer[start..<(start + count)])
        start += count
        return count
    }

    /// The next `count` bytes, fewer only at the end.
    func take(_ count: Int) throws(ArchiveProblem) -> [UInt8] {
        var taken: [UInt8] = []
        while taken.count < count {
            if start == end { try fill() }
            if start == end { break }
            let piece = min(end - start, count - taken.count)
            taken += buffer[start..<(start + piece)]
            start += piece
        }
        return taken
    }

    /// Passes over `count` bytes; returns how many there were.
    func skip(_ count: Int64) throws(ArchiveProblem) -> Int64 {
        var skipped: Int64 = 0
        while skipped < count {
            if start == end { try fill() }
            if start == end { break }
            let piece = min(Int64(end - start), count - skipped)
            start += Int(piece)
            skipped += piece
        }
        return skipped
    }

    private func fill() throws(ArchiveProblem) {
        let source = source
        start = 0
        end = try buffer.withUnsafeMutableBufferPointer { bytes throws(ArchiveProblem) in
            try source.read(into: UnsafeMutableRawBufferPointer(bytes))
        }
    }
}
