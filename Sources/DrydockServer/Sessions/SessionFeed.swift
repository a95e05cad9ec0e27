// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockStore
import Logging
import Synchronization

/// Follows the builds of one session in the store, one after the other, and tells its room in the words of a profile.
///
/// There is one for all viewers of a session; it holds no history: a feed that starts anew reads the journal again.
final class SessionFeed<Profile: WireProfile>: Sendable {
    /// Bytes from the end of a journal that usually hold the lines a joining viewer is shown, and most that are read.
    private static var tail: Int { 64 << 10 }
    private static var longestTail: Int { 4 << 20 }

    /// The build that is told, and how far.
    private struct Showing {
        let build: Build
        /// It began before anybody watched, and nobody was told of it yet.
        var isJoining: Bool
        /// The last record that was told.
        var cursor: Cursor?
        /// The attempt that was read to its end.
        var read: AttemptID?
    }

    let room: SessionRoom<Profile>
    /// Raised when a build of the session changed.
    let changed = ChangeSignal()
    /// Raised when a socket takes bytes again, a connection came or went.
    let writable = ChangeSignal()
    private let store: any Store
    /// When the first viewer came.
    private let opened: Timestamp
    private let clock: @Sendable () -> Timestamp
    private let metrics: ServerMetrics
    private let logger: Logger
    private let stalled = Mutex<Timestamp?>(nil)

    /// While no viewer's socket takes more: when the newest record was appended that they were told.
    var stalledAt: Timestamp? { stalled.withLock { $0 } }

    init(
        room: SessionRoom<Profile>,
        store: any Store,
        clock: @escaping @Sendable () -> Timestamp,
        metrics: ServerMetrics,
        logger: Logger
    ) {
        self.clock = clock
        self.metrics = metrics
        self.opened = clock()
        self.room = room
        self.store = store
        self.logger = logger
    }

    /// Runs until the task is cancelled.
    func run() async {
        var shown: Set<BuildID> = []
        // Before the first look: whatever is there began without these viewers.
        var begin: Timestamp?
        var showing: Showing?
        while !Task.isCancelled {
            let seen = changed.generation
            do {
                if showing == nil, let build = try await nextBuild(shown, since: begin) {
                    // A build that was accepted after the first viewer came is told from its start, however soon it ended.
                    let isJoining = begin == nil && build.createdAt < opened
                    begin = begin ?? min(build.createdAt, opened)
                    shown.insert(build.id)
                    room.show(build)
                    showing = Showing(build: build, isJoining: isJoining)
                }
                begin = begin ?? Timestamp(milliseconds: 0)
                guard showing != nil else {
                    await changed.wait(after: seen)
                    continue
                }
                try await show(&showing)
            } catch is CancellationError {
                return
            } catch {
                logger.error("session feed: \(error)", metadata: ["session": "\(room.session)"])
                // The journal is on disk, and how far it was told is known: it goes on from there.
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    // MARK: Which build

    /// The build to show after those in `shown`; at first (`since` nil) what runs or waits, else the last that ended.
    private func nextBuild(_ shown: Set<BuildID>, since begin: Timestamp?) async throws -> Build? {
        let recent = try await store.builds(BuildFilter(session: room.session, limit: 200))
            .filter { !shown.contains($0.id) && !($0.state == .superseded && $0.attempt == nil) }
        guard let begin else {
            return Self.turn(recent.filter { !$0.state.isTerminal || $0.createdAt >= opened }) ?? recent.first
        }
        return Self.turn(recent.filter { $0.createdAt >= begin })
    }

    /// Whose turn it is: started ones before waiting ones, then the oldest.
    private static func turn(_ builds: [Build]) -> Build? {
        builds.min { left, right in
            let (leftWaits, rightWaits) = (left.attempt == nil ? 1 : 0, right.attempt == nil ? 1 : 0)
            return (leftWaits, left.createdAt, left.id) < (rightWaits, right.createdAt, right.id)
        }
    }

    // MARK: One build

    /// Shows a build until it has ended; nil then.
    private func show(_ current: inout Showing?) async throws {
        while var showing = current, !room.hasEnded {
            try Task.checkCancellation()
            let seen = changed.generation
            guard let row = try await store.build(showing.build.id) else { break }
            if showing.isJoining, row.state.isTerminal {
                // Ended before anybody looked: its last word is in the index, its journal need not be read.
                var fold = Self.fold(of: row)
                _ = fold.end(row.outcome, row.duration)
                _ = await room.tellCurrent(fold).arrived()
            } else if let attempt = row.attempt, attempt != showing.read, row.state != .queued {
                defer { current = showing }
                do {
                    try await follow(attempt, &showing)
                } catch let error where row.state.isTerminal && !(error is CancellationError) {
                    // Its journal can not be read: the index still has its end, and the session's next build its turn.
                    logger.error("a journal: \(error)", metadata: ["build": "\(row.id)"])
                    showing.read = attempt
                }
            } else if row.state.isTerminal {
                _ = await room.tell { $0.settle() + $0.end(row.outcome, row.duration) }
                    .arrived()
            } else {
                _ = room.tell { $0.begin() }
                current?.isJoining = false
                if row.state == .queued, room.note(isWaiting: true),
                    let position = try await store.queuePosition(row.id)
                {
                    // The first time; from then on the hub tells all that wait, once for each change of the queue.
                    room.tell(position: position, of: row.id)
                }
                await changed.wait(after: seen)
            }
        }
        current = nil
    }

    /// Reads one attempt until it is over, by its own word or the store's.
    private func follow(_ attempt: AttemptID, _ showing: inout Showing) async throws {
        _ = room.note(isWaiting: false)
        let reader: any JournalReader
        if showing.isJoining {
            reader = try await catchUp(attempt, &showing)
        } else {
            let seen = showing.cursor.flatMap { $0.attempt == attempt ? $0.seq : nil } ?? 0
            reader = try await store.reader(showing.build.id, attempt, after: seen)
        }
        let telling = PacedTelling(
            reader: reader,
            writable: writable,
            isWatched: { [room] in room.connections > 0 },
            runsAhead: false,
            clock: clock,
            metrics: metrics
        )
        try await telling.run(
            BatchSize(),
            while: { !room.hasEnded },
            stalls: { at in stalled.withLock { $0 = at } },
            tell: { lines in
                if let last = lines.last { showing.cursor = Cursor(attempt: attempt, seq: last.seq) }
                return room.tell { fold in apply(lines, to: &fold) + fold.flush() }
            }
        )
        showing.read = attempt
    }

    /// Tells what was before the first viewer as one current state; it takes the end of the journal, not all of it.
    ///
    /// Nobody hears of the build before that, so that who comes meanwhile is told the same, once.
    private func catchUp(_ attempt: AttemptID, _ showing: inout Showing) async throws -> any JournalReader {
        let joined = clock()
        var bytes = Self.tail
        while true {
            let reader = try await store.reader(showing.build.id, attempt, from: .tail(bytes: bytes))
            var fold = Self.fold(of: showing.build)
            var (first, last) = (UInt64?.none, UInt64(0))
            while case let lines = try await reader.available(maxBytes: 1 << 20), let newest = lines.last {
                _ = apply(lines, to: &fold) + fold.flush()
                (first, last) = (first ?? lines.first?.seq, newest.seq)
                // What comes later is told as it comes: a build that prints faster than this loop reads would else
                // not be seen before its end.
                if let at = JournalCodec.head(of: newest.bytes[...])?.at, at >= joined { break }
            }
            // Enough for a whole window, or all there is.
            if fold.hasWholeWindow || first ?? 1 == 1 || bytes >= Self.longestTail {
                _ = fold.begin()
                _ = room.tellCurrent(fold)
                showing.isJoining = false
                showing.cursor = Cursor(attempt: attempt, seq: last)
                return reader
            }
            bytes *= 8
        }
    }

    private func apply(_ lines: [JournalLine], to fold: inout Profile) -> [Profile.Message] {
        lines.flatMap { line in
            do throws(JournalCodecError) {
                return try fold.apply(line.bytes)
            } catch {
                logger.error("record \(line.seq): \(error)", metadata: ["session": "\(room.session)"])
                return fold.apply(.gap(Gap(reason: "damaged", lines: 1, bytes: ByteCount(0))))
            }
        }
    }

    private static func fold(of build: Build) -> Profile {
        Profile(build: build.id, project: build.request.project, title: build.request.title)
    }
}
