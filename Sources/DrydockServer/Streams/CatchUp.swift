// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import NIOCore

/// Reads the journal for one viewer that is behind, from its place to where its build's stream begins, a piece at a time.
struct CatchUp {
    /// Bytes of journal in one message.
    private static let batch = 64 << 10
    /// Bytes after which others have their turn.
    private static let piece = 512 << 10

    let stream: BuildStream
    let store: any Store
    let teller: StreamTeller
    let viewer: NIOLoopBound<StreamViewer>
    let readsDeflated: Bool

    /// Returns when the viewer can go on without, wants no more, or had its turn.
    func run(after cursor: Cursor?) async throws {
        let attempts = try await store.attempts(stream.build)
        var index = 0
        if let cursor {
            guard let found = attempts.firstIndex(of: cursor.attempt) else {
                throw StoreError.noSuchAttempt(stream.build, cursor.attempt)
            }
            index = found
        }
        var (left, seq) = (Self.piece, cursor?.seq ?? 0)
        while index < attempts.count {
            let reader = try await store.reader(stream.build, attempts[index], after: seq)
            guard try await tell(reader, of: attempts[index], after: seq, &left) else { return }
            (index, seq) = (index + 1, 0)
        }
    }

    /// Tells the rest of an attempt; false when that is enough.
    private func tell(
        _ reader: any JournalReader,
        of attempt: AttemptID,
        after seq: UInt64,
        _ left: inout Int
    ) async throws -> Bool {
        var seen = seq
        while left > 0 {
            var lines = try await reader.available(maxBytes: Self.batch)
            guard let newest = lines.last else {
                // Where the stream is further there is more: a record that is held back until the store is asked, or
                // another attempt.
                guard stream.isBeyond(Cursor(attempt: attempt, seq: seen)) else { return false }
                guard try await reader.more() else { return true }
                continue
            }
            if let last = stream.boundary(in: attempt, seen...max(seen, newest.seq)) {
                lines.removeAll { $0.seq > last }
                guard !lines.isEmpty else { return false }
                left = 0
            }
            guard let first = lines.first, let end = lines.last else { return false }
            seen = end.seq
            left -= lines.reduce(0) { $0 + $1.bytes.count }
            let batch = RecordBatch(
                attempt: attempt,
                first: first.seq,
                last: end.seq,
                frame: frame(attempt, lines)
            )
            let goesOn = try await viewer.eventLoop.submit { [viewer, stream] in
                viewer.value.take(batch, of: stream.build)
            }.get()
            guard goesOn else { return false }
        }
        return false
    }

    private func frame(_ attempt: AttemptID, _ lines: [JournalLine]) -> SharedFrame {
        let message = Profile1Message.events(stream.build, attempt, lines.map { ($0.seq, $0.bytes) })
        return teller.frame(of: message, for: stream.session, deflating: readsDeflated)
    }
}
