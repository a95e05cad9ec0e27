// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol

/// What a plugin or a build writes to its output.
enum PluginFuzz {
    private static let marker = Array("@dd ".utf8)

    /// Each line as it is, and as a record.
    static func lines(_ bytes: [UInt8]) {
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            decode(Array(line))
            decode(marker + line)
        }
    }

    private static func decode(_ line: [UInt8]) {
        let isRecord = line.withUnsafeBytes { PluginLineDecoder.isRecord($0) }
        let decoded = PluginLineDecoder.decode(line)
        if case .log = decoded { precondition(!isRecord) } else { precondition(isRecord) }
        if isRecord { _ = PluginLineDecoder.idOfMalformedExec(line) }
    }

    private struct Segment: Hashable {
        var bytes: [UInt8]
        var end: OutputSegment.End
        var startsLine: Bool
        var dropped: Int
        var isRepeated: Bool
    }

    /// The first byte says how the rest comes: how it is cut must not change what is read.
    static func splitter(_ bytes: [UInt8]) {
        guard let size = bytes.first else { return }
        let output = Array(bytes.dropFirst())
        let whole = split(output, pieces: max(1, output.count))
        precondition(split(output, pieces: Int(size) + 1) == whole)
        precondition(whole.allSatisfy { $0.bytes.count <= PluginLineLimits.line && !$0.bytes.contains(0x0A) })
    }

    private static func split(_ output: [UInt8], pieces: Int) -> [Segment] {
        var splitter = LineSplitter()
        var segments: [Segment] = []
        func take(_ segment: OutputSegment) {
            segments.append(
                Segment(
                    bytes: Array(segment.bytes),
                    end: segment.end,
                    startsLine: segment.startsLine,
                    dropped: segment.dropped,
                    isRepeated: segment.isRepeated
                )
            )
        }
        for start in stride(from: 0, to: output.count, by: pieces) {
            let piece = Array(output[start..<min(start + pieces, output.count)])
            piece.withUnsafeBytes { splitter.push($0, take) }
        }
        splitter.finish(take)
        return segments
    }
}
