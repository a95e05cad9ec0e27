// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import SystemPackage

/// What one attempt's segment says about its build: the part of the index that can be rebuilt.
struct SegmentFold {
    /// Whether there is a journal at all.
    private(set) var isThere = false
    private(set) var queued: Queued?
    private(set) var firstAt: Timestamp?
    private(set) var lastAt: Timestamp?
    private(set) var preview: PreviewReady?
    private(set) var finished: Finished?
    /// How much of the journal this rests on.
    private(set) var reading = BuildRows.JournalReading.whole
    private var recorded: [Artifact] = []
    private var lastSeq: UInt64 = 0

    /// What is read of either end at first; most journals are shorter.
    private static let end = 64 << 10
    /// What is longer than any record is no journal any more.
    private static let longestRecord = 8 << 20
    private static let kinds: Set<String> = Set(
        [EventKind.queued, .artifact, .preview, .finished].map(\.rawValue)
    )

    /// Reads the whole segment, as far as it is whole; nothing when there is no such file.
    init(_ path: FilePath) throws(StoreError) {
        guard let file = try SegmentFile.reading(path) else { return }
        isThere = true
        try readAll(file)
        conclude()
    }

    private mutating func readAll(_ file: SegmentFile) throws(StoreError) {
        var offset: Int64 = 0
        var size = 256 << 10
        while true {
            let chunk = try file.read(from: offset, count: size)
            guard let end = chunk.lastIndex(of: 0x0A) else {
                if chunk.count == size, size <= Self.longestRecord {
                    size *= 2
                    continue
                }
                if chunk.count == size { reading = .damaged }
                return
            }
            for line in chunk[..<end].split(separator: 0x0A) { take(line) }
            offset += Int64(end) + 1
        }
    }

    /// Reads only its beginning, where the build is named, and its end: as much of the end as there are artifacts near it.
    ///
    /// Where more than that is needed to know them all, `reading` is `.ends`.
    init(endsOf path: FilePath) throws(StoreError) {
        guard let file = try SegmentFile.reading(path) else { return }
        isThere = true
        let size = try file.size()
        guard size > Int64(2 * Self.end) else {
            self = try SegmentFold(path)
            return
        }
        let head = try file.read(from: 0, count: Self.end)
        guard let first = head.firstIndex(of: 0x0A) else {
            self = try SegmentFold(path)
            return
        }
        take(head[..<first])
        let search = SegmentSearch(file: file)
        let start = try search.start(ofLast: Self.end)
        let tail = try file.read(from: start, count: Int(size - start))
        // Behind a gap of our own making: numbers start anew.
        lastSeq = 0
        if let end = tail.lastIndex(of: 0x0A) {
            for line in tail[..<end].split(separator: 0x0A) { take(line) }
        }
        if reading == .whole, finished?.artifacts != recorded.count { reading = .ends }
    }

    /// What a whole journal says it made is what stands in it; one that made something has an end.
    ///
    /// Journals of before do not say how many.
    private mutating func conclude() {
        guard reading == .whole else { return }
        guard let finished else {
            if !recorded.isEmpty { reading = .damaged }
            return
        }
        guard finished.outcome.state == .succeeded, let count = finished.artifacts else { return }
        if count != recorded.count { reading = .damaged }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) {
        guard let head = JournalCodec.head(of: line) else {
            reading = .damaged
            return
        }
        if lastSeq != 0, head.seq != lastSeq + 1 { reading = .damaged }
        lastSeq = head.seq
        if firstAt == nil { firstAt = head.at }
        lastAt = head.at
        guard Self.kinds.contains(head.kind) else { return }
        do {
            switch try JournalCodec.decode(Array(line))?.event {
            case .queued(let queued): self.queued = queued
            case .artifact(let artifact): recorded.append(artifact)
            case .preview(let preview): self.preview = preview
            case .finished(let finished): self.finished = finished
            default: break
            }
        } catch {
            reading = .damaged  // it says nothing; the readers of the journal tell of it
        }
    }

    /// How the attempt ended; nil when its journal does not say.
    func end(at now: Timestamp) -> BuildEnd? {
        guard let finished else { return nil }
        let isGood = finished.outcome.state == .succeeded
        return BuildEnd(
            by: .journal,
            outcome: finished.outcome,
            artifacts: isGood ? recorded : [],
            preview: isGood ? preview : nil,
            at: lastAt ?? now
        )
    }
}
