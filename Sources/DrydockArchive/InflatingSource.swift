// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CZlib
import Glibc

/// Decompresses what another source gives.
final class InflatingSource: ByteSource {
    enum Wrapping {
        /// Bare deflate, as inside zip.
        case raw
        /// One or more gzip members; zeros may follow as padding.
        case gzip
    }

    private static let chunkSize = 64 * 1_024

    private let input: any ByteSource
    private let wrapping: Wrapping
    private let inflater: OpaquePointer
    private var buffer = [UInt8](repeating: 0, count: InflatingSource.chunkSize)
    private var start = 0
    private var end = 0
    private var finished = false
    /// Bytes that may still come out.
    private var allowance: Int64

    /// `allowance` is the number of bytes after which the source gives up, whatever the reader does with them.
    init(_ input: any ByteSource, _ wrapping: Wrapping, allowance: Int64) throws(ArchiveProblem) {
        guard let inflater = czlib_inflater_new(wrapping == .gzip ? CZLIB_GZIP : CZLIB_RAW) else {
            throw .read(.noMemory)
        }
        self.input = input
        self.wrapping = wrapping
        self.inflater = inflater
        self.allowance = allowance
    }

    deinit { czlib_inflater_free(inflater) }

    func read(into output: UnsafeMutableRawBufferPointer) throws(ArchiveProblem) -> Int {
        while !finished {
            let atEnd = try isExhausted()
            let (result, produced) = inflate(into: output)
            allowance -= Int64(produced)
            if allowance < 0 { throw .tooLarge("it unpacks to many times its own size", entry: nil) }
            switch result {
            case CZLIB_END: finished = try !startNextMember()
            case CZLIB_CONTINUE:
                if produced == 0 && atEnd { throw .truncated(entry: nil) }
            case CZLIB_NO_MEMORY: throw .read(.noMemory)
            default: throw .corrupt("its compressed bytes do not decompress", entry: nil)
            }
            if produced > 0 { return produced }
        }
        return 0
    }

    private func inflate(into output: UnsafeMutableRawBufferPointer) -> (czlib_result, Int) {
        var consumed: UInt32 = 0
        var produced: UInt32 = 0
        let room = output.bindMemory(to: UInt8.self)
        guard let target = room.baseAddress else { return (CZLIB_CONTINUE, 0) }
        let result = buffer.withUnsafeBufferPointer { bytes in
            czlib_inflate(
                inflater,
                bytes.baseAddress.map { $0 + start },
                UInt32(end - start),
                target,
                UInt32(clamping: room.count),
                &consumed,
                &produced
            )
        }
        start += Int(consumed)
        return (result, Int(produced))
    }

    /// Goes on to a further gzip member; false at the end of everything.
    private func startNextMember() throws(ArchiveProblem) -> Bool {
        if wrapping == .raw { return false }
        while true {
            if try isExhausted() { return false }
            if buffer[start] == 0 {
                start += 1
            } else if buffer[start] == 0x1F {
                return czlib_inflater_reset(inflater) == CZLIB_CONTINUE
            } else {
                throw .corrupt("something that is not gzip follows its gzip part", entry: nil)
            }
        }
    }

    /// Whether no input is left, after reading the next piece where the last one is used up.
    private func isExhausted() throws(ArchiveProblem) -> Bool {
        if start < end { return false }
        let input = input
        start = 0
        end = try buffer.withUnsafeMutableBufferPointer { bytes throws(ArchiveProblem) in
            try input.read(into: UnsafeMutableRawBufferPointer(bytes))
        }
        return end == 0
    }
}

/// The CRC-32 of zip entries.
///
/// Source: APPNOTE 4.4.7.
struct CRC32 {
    private(set) var value: UInt32 = 0

    mutating func update(_ bytes: ArraySlice<UInt8>) {
        value = bytes.withUnsafeBufferPointer { czlib_crc32(value, $0.baseAddress, $0.count) }
    }
}
