// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc

/// Decompresses what another source gives.
final class InflatingSource: ByteSource {
    private static let chunkSize = 64 * 1_024

    private let input: any ByteSource
    /// With gzip, one or more members; zeros may follow as padding.
    private let wrapping: Inflater.Wrapping
    private var inflater: Inflater
    private var buffer = [UInt8](repeating: 0, count: InflatingSource.chunkSize)
    private var start = 0
    private var end = 0
    private var finished = false
    /// Bytes that may still come out.
    private var allowance: Int64

    /// `allowance` is the number of bytes after which the source gives up, whatever the reader does with them.
    init(
        _ input: any ByteSource,
        _ wrapping: Inflater.Wrapping,
        allowance: Int64
    ) throws(ArchiveProblem) {
        guard let inflater = Inflater(wrapping) else { throw .read(.noMemory) }
        self.input = input
        self.wrapping = wrapping
        self.inflater = inflater
        self.allowance = allowance
    }

    func read(into output: UnsafeMutableRawBufferPointer) throws(ArchiveProblem) -> Int {
        while !finished {
            let atEnd = try isExhausted()
            let step = buffer.withUnsafeBytes { bytes in
                inflater.inflate(.init(rebasing: bytes[start..<end]), into: output)
            }
            start += step.consumed
            let produced = step.produced
            allowance -= Int64(produced)
            if allowance < 0 { throw .tooLarge("it unpacks to many times its own size", entry: nil) }
            switch step.outcome {
            case .end: finished = try !startNextMember()
            case .goesOn:
                if produced == 0 && atEnd { throw .truncated(entry: nil) }
            case .noMemory: throw .read(.noMemory)
            case .corrupt: throw .corrupt("its compressed bytes do not decompress", entry: nil)
            }
            if produced > 0 { return produced }
        }
        return 0
    }

    /// Goes on to a further gzip member; false at the end of everything.
    private func startNextMember() throws(ArchiveProblem) -> Bool {
        if wrapping == .raw { return false }
        while true {
            if try isExhausted() { return false }
            if buffer[start] == 0 {
                start += 1
            } else if buffer[start] == 0x1F {
                return inflater.reset()
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
