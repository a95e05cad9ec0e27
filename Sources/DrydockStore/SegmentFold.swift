// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import SystemPackage

/// What one attempt's segment says about its build: the part of the index that can be rebuilt.
struct SegmentFold {
    private(set) var queued: Queued?
    private(set) var firstAt: Timestamp?
    private(set) var lastAt: Timestamp?
    private(set) var artifacts: [Artifact] = []
    private(set) var preview: PreviewReady?
    private(set) var finished: Finished?

    private static let kinds: Set<String> = Set(
        [EventKind.queued, .artifact, .preview, .finished].map(\.rawValue)
    )

    /// Reads the whole segment, as far as it is whole; nothing when there is no such file.
    init(_ path: FilePath) throws(StoreError) {
        guard let file = try SegmentFile.reading(path) else { return }
        var offset: Int64 = 0
        var size = 256 << 10
        while true {
            let chunk = try file.read(from: offset, count: size)
            guard let end = chunk.lastIndex(of: 0x0A) else {
                // What is longer than any record is no journal any more.
                if chunk.count < size || size > 8 << 20 { return }
                size *= 2
                continue
            }
            for line in chunk[..<end].split(separator: 0x0A) { take(line) }
            offset += Int64(end) + 1
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) {
        guard let head = JournalCodec.head(of: line) else { return }
        if firstAt == nil { firstAt = head.at }
        lastAt = head.at
        // A damaged record says nothing; the readers of the journal tell of it.
        guard Self.kinds.contains(head.kind), let record = try? JournalCodec.decode(Array(line)) else {
            return
        }
        switch record.event {
        case .queued(let queued): self.queued = queued
        case .artifact(let artifact): artifacts.append(artifact)
        case .preview(let preview): self.preview = preview
        case .finished(let finished): self.finished = finished
        default: break
        }
    }

    /// How the attempt ended; nil when its journal does not say.
    func end(at now: Timestamp) -> BuildEnd? {
        guard let finished else { return nil }
        return BuildEnd(
            outcome: finished.outcome,
            artifacts: artifacts,
            preview: preview,
            at: lastAt ?? now
        )
    }
}
