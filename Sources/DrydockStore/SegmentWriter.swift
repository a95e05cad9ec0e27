// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import Glibc
import Synchronization
import SystemPackage

/// Appends to one attempt's segment.
///
/// A stale worker can not write into another's epoch: each attempt is a file of its own. When this process hears that the
/// lease is gone, the writer is fenced, and what still comes throws `leaseLost`.
final class SegmentWriter: JournalWriter {
    private enum Mode {
        case open(SegmentFile)
        case fenced
        /// `finished` was written.
        case ended(SegmentFile)
        case closed
    }

    private struct State {
        var mode: Mode
        var size: Int64
        var seq: UInt64
        var lastAt: Timestamp
        var buffer: [UInt8] = []
        var reserve: SegmentReserve
    }

    private let build: BuildID
    private let attempt: AttemptID
    private let now: @Sendable () -> Timestamp
    private let state: Mutex<State>

    /// Opens the segment, or makes it, cuts a torn tail off and tells of it with a `gap`.
    init(
        _ directory: DataDirectory,
        _ build: BuildID,
        _ attempt: AttemptID,
        now: @escaping @Sendable () -> Timestamp
    ) throws(StoreError) {
        self.build = build
        self.attempt = attempt
        self.now = now
        try DataDirectory.make(directory.segments(of: build))
        let path = directory.segment(build, attempt)
        guard let file = try Self.openUnlessSealed(path, attempt) else {
            // What is sealed has ended.
            state = Mutex(
                State(
                    mode: .closed,
                    size: try SegmentFile.reading(path)?.size() ?? 0,
                    seq: 0,
                    lastAt: Timestamp(milliseconds: 0),
                    reserve: SegmentReserve(end: 0)
                )
            )
            return
        }
        let tail = try SegmentTail(file)
        if tail.torn > 0 { try file.cut(to: tail.size) }
        if tail.size == 0 {
            try syncDirectory(directory.segments(of: build))
            try syncDirectory(directory.segments)
        }
        let hasEnded = tail.last?.kind == EventKind.finished.rawValue
        state = Mutex(
            State(
                mode: hasEnded ? .ended(file) : .open(file),
                size: tail.size,
                seq: tail.last?.seq ?? 0,
                lastAt: tail.last?.at ?? Timestamp(milliseconds: 0),
                reserve: SegmentReserve(end: tail.size)
            )
        )
        guard tail.torn > 0, !hasEnded else { return }
        let gap = Gap(
            reason: "the last record was torn when its writer died",
            lines: 1,
            bytes: ByteCount(tail.torn)
        )
        try append([.gap(gap)], via: .host, step: nil)
    }

    /// Nil when there is only the sealed form.
    private static func openUnlessSealed(
        _ path: FilePath,
        _ attempt: AttemptID
    ) throws(StoreError) -> SegmentFile? {
        let sealed = SegmentFile.sealedPath(of: path)
        let isSealed = access(sealed.string, F_OK) == 0
        if isSealed, access(path.string, F_OK) != 0 { return nil }
        let file = try SegmentFile.appending(path, attempt)
        // It may have been sealed since the first look, and this file made in the place of the one that went.
        guard access(sealed.string, F_OK) == 0, try file.size() == 0 else { return file }
        guard unlink(path.string) == 0 else { throw .system("removing", path, Errno.current) }
        return nil
    }

    @discardableResult
    func append(_ events: [Event], via: Via, step: StepID?) throws(StoreError) -> UInt64 {
        try state.withLock { state throws(StoreError) in
            let file = try openFile(state.mode)
            guard !events.isEmpty else { return state.seq }
            let at = max(now(), state.lastAt)
            encode(events, at: at, via: via, step: step, &state)
            defer { if state.buffer.capacity > 1 << 20 { state.buffer = [] } }
            try keepRoomForTheEnd(events, file, &state)
            let (written, problem) = file.append(state.buffer)
            if let problem {
                try keepWholeLines(of: written, file, &state)
                throw .system("writing", file.path, problem)
            }
            state.size += Int64(written)
            state.seq += UInt64(events.count)
            state.lastAt = at
            if case .finished = events.last { state.mode = .ended(file) }
            return state.seq
        }
    }

    var size: ByteCount { ByteCount(state.withLock { $0.size }) }

    /// Before anything but the end is written: what the end will take stays free.
    private func keepRoomForTheEnd(
        _ events: [Event],
        _ file: SegmentFile,
        _ state: inout State
    ) throws(StoreError) {
        if case .finished = events.last { return }
        let problem = state.reserve.extend(beyond: state.size + Int64(state.buffer.count), file)
        if let problem { throw .system("writing", file.path, problem) }
    }

    func sync() throws(StoreError) {
        // Outside the lock: appending goes on while the disk works.
        let file = try state.withLock { state throws(StoreError) -> SegmentFile? in
            switch state.mode {
            case .open(let file), .ended(let file): return file
            case .fenced: throw .leaseLost(build, attempt)
            case .closed: return nil
            }
        }
        try file?.sync()
    }

    /// Syncs, gives back the room that was kept, and lets go of the file.
    func close() throws(StoreError) {
        let (file, size) = state.withLock { state -> (SegmentFile?, Int64) in
            defer { state.mode = .closed }
            switch state.mode {
            case .open(let file), .ended(let file): return (file, state.size)
            case .fenced, .closed: return (nil, 0)
            }
        }
        try file?.cut(to: size)
        try file?.sync()
    }

    /// The lease is gone: nothing more is written.
    func fence() { state.withLock { $0.mode = .fenced } }

    private func openFile(_ mode: Mode) throws(StoreError) -> SegmentFile {
        switch mode {
        case .open(let file): return file
        case .fenced: throw .leaseLost(build, attempt)
        case .ended, .closed: throw .journalEnded(attempt)
        }
    }

    private func encode(
        _ events: [Event],
        at: Timestamp,
        via: Via,
        step: StepID?,
        _ state: inout State
    ) {
        state.buffer.removeAll(keepingCapacity: true)
        let frame = RecordFrame(at: at, build: build, attempt: attempt, via: via, step: step)
        JournalCodec.encode(events, from: state.seq + 1, in: frame, into: &state.buffer)
    }

    /// After a write that stopped half-way (disk full): readers may have seen the whole lines, so these stay.
    private func keepWholeLines(
        of written: Int,
        _ file: SegmentFile,
        _ state: inout State
    ) throws(StoreError) {
        let part = state.buffer[..<written]
        let whole = part.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        state.size += Int64(whole)
        state.seq += UInt64(part[..<whole].count { $0 == 0x0A })
        try file.cut(to: state.size)
    }
}

/// A writer that the store knows of but does not keep.
struct WeakSegmentWriter: Sendable {
    weak var writer: SegmentWriter?
}
