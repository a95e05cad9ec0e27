// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Logging

/// Follows the builds of one session in the store, one after the other, and tells its room.
///
/// There is one for all viewers of a session; it holds no history: a feed that starts anew reads the journal again.
final class SessionFeed: Sendable {
    /// Bytes of journal that are read and told in one go: small, so that viewers see the first lines soon.
    private static let batch = 16 << 10

    /// A batch on its way, and how often sockets had become free before.
    private struct Sent {
        var delivery = Delivery()
        var seen: UInt64 = 0
    }

    let room: SessionRoom
    /// Raised when a build of the session changed.
    let changed = ChangeSignal()
    /// Raised when a socket takes bytes again, a connection came or went.
    let writable = ChangeSignal()
    private let store: any Store
    /// When the first viewer came.
    private let opened: Timestamp
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger

    init(
        room: SessionRoom,
        store: any Store,
        clock: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.clock = clock
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
        while !Task.isCancelled {
            let seen = changed.generation
            do {
                let build = try await nextBuild(shown, since: begin)
                // A build that was accepted after the first viewer came is told from its start, however soon it ended.
                let isFirst = begin == nil && (build.map { $0.createdAt < opened } ?? false)
                begin = begin ?? build.map { min($0.createdAt, opened) } ?? Timestamp(milliseconds: 0)
                guard let build else {
                    await changed.wait(after: seen)
                    continue
                }
                shown.insert(build.id)
                try await show(build, isFirst: isFirst)
            } catch is CancellationError {
                return
            } catch {
                logger.error("session feed: \(error)", metadata: ["session": "\(room.session)"])
                // The journal is on disk: nothing is lost by looking again.
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

    private func show(_ build: Build, isFirst: Bool) async throws {
        room.show(build)
        if isFirst && build.state.isTerminal {
            // Ended before anybody looked: its last word is in the index, its journal need not be read.
            room.catchUp { fold in _ = fold.end(Self.outcome(of: build), Self.duration(of: build)) }
            _ = await room.tellCurrent().arrived()
            return
        }
        if build.attempt == nil { _ = room.tell { $0.begin() } }
        var followed: Cursor?
        while !room.hasEnded {
            try Task.checkCancellation()
            let seen = changed.generation
            guard let row = try await store.build(build.id) else { return }
            if let attempt = row.attempt, attempt != followed?.attempt, row.state != .queued {
                let isJoining = isFirst && followed == nil
                followed = try await follow(row.id, attempt, isJoining: isJoining)
                continue
            }
            if row.state.isTerminal {
                try await settle(row, after: followed)
            } else {
                try await tellPosition(row)
                await changed.wait(after: seen)
            }
        }
    }

    private func tellPosition(_ row: Build) async throws {
        guard row.state == .queued, let position = try await store.queuePosition(row.id) else { return }
        _ = room.tell { $0.wait(behind: position) }
    }

    /// Ends a build whose row is terminal: by the rest of its journal, else by the row.
    private func settle(_ row: Build, after cursor: Cursor?) async throws {
        if let cursor {
            let reader = try store.reader(row.id, cursor.attempt, after: cursor.seq)
            while case let lines = try reader.available(maxBytes: Self.batch), !lines.isEmpty {
                _ = await tell(lines).arrived()
            }
        }
        _ = await room.tell { $0.settle() + $0.end(Self.outcome(of: row), Self.duration(of: row)) }.arrived()
    }

    /// Reads one attempt until it is over, by its own word or the store's; returns how far it came.
    private func follow(_ build: BuildID, _ attempt: AttemptID, isJoining: Bool) async throws -> Cursor {
        let reader = try store.reader(build, attempt, after: 0)
        var cursor = Cursor(attempt: attempt, seq: 0)
        if isJoining {
            // What was before the first viewer is told as one current state.
            let joined = clock()
            while let last = try catchUp(reader) {
                cursor.seq = last.seq
                // What comes later is told as it comes: a build that prints faster than this loop reads would else
                // not be seen before its end.
                if let at = JournalCodec.head(of: last.bytes[...])?.at, at >= joined { break }
            }
            _ = room.tellCurrent()
        }
        var before = Sent()
        while !room.hasEnded, let lines = try await reader.next(maxBytes: Self.batch) {
            cursor.seq = lines.last?.seq ?? cursor.seq
            // Before it is sent: the socket may be full and free again before anybody asks.
            let seen = writable.generation
            let next = Sent(delivery: tell(lines), seen: seen)
            await pace(before)
            before = next
        }
        await pace(before)
        return cursor
    }

    /// Takes a piece of what is there without telling anybody; its last record, nil when there is none.
    private func catchUp(_ reader: any JournalReader) throws -> JournalLine? {
        let lines = try reader.available(maxBytes: 1 << 20)
        if !lines.isEmpty { room.catchUp { fold in _ = Self.apply(lines, to: &fold) + fold.flush() } }
        return lines.last
    }

    /// Waits until a batch is out; while no socket takes more, until one does: nobody is left who could see it sooner.
    private func pace(_ sent: Sent) async {
        if await !sent.delivery.arrived(), room.connections > 0 { await writable.wait(after: sent.seen) }
    }

    private func tell(_ lines: [JournalLine]) -> Delivery {
        room.tell { fold in Self.apply(lines, to: &fold) + fold.flush() }
    }

    private static func apply(_ lines: [JournalLine], to fold: inout Profile0Fold) -> [Profile0Message] {
        // A record of a kind from the future does not decode: profile 0 has no words for it either.
        lines.flatMap { line in
            guard let record = try? JournalCodec.decode(line.bytes) else { return [Profile0Message]() }
            return fold.apply(record.event)
        }
    }

    // MARK: From the index

    private static func outcome(of build: Build) -> Outcome {
        if build.state == .succeeded { return .succeeded }
        return Outcome(
            build.failure ?? Failure(.internal, .platform, "the build ended as \(build.state.rawValue)")
        )
    }

    private static func duration(of build: Build) -> Duration {
        guard let start = build.startedAt, let end = build.finishedAt else { return .zero }
        return end.since(start)
    }
}
