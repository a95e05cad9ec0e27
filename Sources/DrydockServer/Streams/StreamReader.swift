// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockStore
import Logging

/// Reads a build's journal for its stream, attempt after attempt, from its first record to its end.
struct StreamReader {
    /// Bytes of the past that are read in one go.
    private static let pastBatch = 1 << 20

    let stream: BuildStream
    let store: any Store
    /// Who reads much has to wait for a turn.
    let turnstile: Turnstile
    let clock: @Sendable () -> Timestamp
    let metrics: ServerMetrics
    let logger: Logger

    /// Returns when the end was told, or nobody watches any more.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await follow()
                stream.ending.raise()
            }
            await stream.ending.wait(after: 0)
            group.cancelAll()
        }
    }

    private func follow() async {
        let opened = clock()
        var read: AttemptID?
        var current: AttemptID?
        while !Task.isCancelled, !stream.hasEnded {
            let seen = stream.changed.generation
            do {
                let attempts = try await store.attempts(stream.build)
                stream.note(attempts)
                let unread = read.flatMap(attempts.firstIndex).map { attempts[($0 + 1)...] } ?? attempts[...]
                if let next = unread.first {
                    current = next
                    try await tell(next, isNewest: next == attempts.last, since: opened)
                    read = next
                } else if let build = try await store.build(stream.build), !build.state.isTerminal {
                    _ = stream.becomePresent()
                    if build.attempt == nil, let position = try await store.queuePosition(build.id) {
                        stream.tell(position: position)
                    }
                    await stream.changed.wait(after: seen)
                } else {
                    try await end()
                }
            } catch is CancellationError {
                return
            } catch StoreError.noSuchBuild {
                // Removed while its journal was read: nothing more will be known of it.
                let failure = Failure(.internal, .platform, "the build was removed")
                _ = stream.becomePresent()
                _ = stream.end(Outcome(failure), .zero)
            } catch {
                logger.error("a stream: \(error)", metadata: ["build": "\(stream.build)"])
                // Its journal is on disk, and how far it was told is known: it goes on from there. One that can not be
                // read still has an end, which the build's row knows.
                if await hasEnded() { read = current }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Tells one attempt until it is over.
    private func tell(_ attempt: AttemptID, isNewest: Bool, since opened: Timestamp) async throws {
        let seen = stream.cursor.flatMap { $0.attempt == attempt ? $0.seq : nil } ?? 0
        let reader = try await store.reader(stream.build, attempt, after: seen)
        if !stream.isPresent {
            let isOpen = try await turnstile.pass {
                try await absorb(reader, attempt, isNewest: isNewest, since: opened)
            }
            guard isOpen else { return }
        }
        let telling = PacedTelling(
            reader: reader,
            writable: stream.writable,
            isWatched: { [stream] in stream.viewers > 0 },
            runsAhead: true,
            clock: clock,
            metrics: metrics
        )
        // A quarter of what is kept for viewers that keep up.
        let size = BatchSize(most: RecentBatches.room / 4)
        try await telling.run(size, behind: stream.becomePresent()) { lines in
            stream.tell(lines.map { ($0.seq, $0.bytes) }, of: attempt)
        }
    }

    /// Takes in what was there before; false when the attempt is over with that.
    private func absorb(
        _ reader: any JournalReader,
        _ attempt: AttemptID,
        isNewest: Bool,
        since opened: Timestamp
    ) async throws -> Bool {
        while true {
            let lines = try await reader.available(maxBytes: Self.pastBatch)
            stream.absorb(lines.map { ($0.seq, $0.bytes) }, of: attempt)
            if let newest = lines.last {
                // A build that prints faster than this loop reads would else not be seen before its end.
                let at = JournalCodec.head(of: newest.bytes)?.at
                if isNewest, let at, at >= opened { return true }
            } else if isNewest, try await isOpen(attempt) {
                return true
            } else if try await !reader.more() {
                return false
            }
        }
    }

    /// Whether somebody may still append to it.
    private func isOpen(_ attempt: AttemptID) async throws -> Bool {
        try await store.build(stream.build).map { !$0.isOver(attempt) } ?? false
    }

    private func hasEnded() async -> Bool {
        (try? await store.build(stream.build))?.state.isTerminal ?? false
    }

    /// Tells how the build ended, as its row says.
    private func end() async throws {
        guard let build = try await store.build(stream.build) else {
            throw StoreError.noSuchBuild(stream.build)
        }
        _ = stream.becomePresent()
        _ = stream.end(build.outcome, build.duration)
    }
}
