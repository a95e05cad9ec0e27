// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockStore

/// Tells viewers what a journal has, as fast as the first of their sockets takes it.
///
/// While one batch goes out the next one is read; while no socket takes more, nothing is: nobody is left who could see it
/// sooner.
struct PacedTelling {
    /// A batch on its way, and how often sockets had become free before.
    private struct Sent {
        var delivery = Delivery()
        var seen: UInt64 = 0
        /// When its newest record was appended.
        var at: Timestamp?
    }

    let reader: any JournalReader
    /// Raised when a socket takes bytes again, a viewer came or went.
    let writable: ChangeSignal
    /// Whether anybody watches.
    let isWatched: @Sendable () -> Bool
    /// Whether a batch is told while the one before is on its way: not where a socket that takes no more is skipped past it,
    /// for that is not known before.
    let runsAhead: Bool
    let clock: @Sendable () -> Timestamp
    let metrics: ServerMetrics

    /// Tells what there is in batches that begin with `size`, until the journal is over, or `goesOn` says no.
    ///
    /// `first` is on its way already. `stalls` is told when the newest record was appended that nobody takes any more of, and
    /// nil when somebody does again.
    func run(
        _ size: BatchSize,
        behind first: Delivery = Delivery(),
        while goesOn: () -> Bool = { true },
        stalls: (Timestamp?) -> Void = { _ in },
        tell: ([JournalLine]) -> Delivery
    ) async throws {
        var (size, before) = (size, Sent(delivery: first))
        while goesOn(), let lines = try await reader.next(maxBytes: size.bytes) {
            size.note(lines)
            if !runsAhead { await pace(before, stalls) }
            // Before it is sent: the socket may be full and free again before anybody asks.
            let seen = writable.generation
            let at = note(lines)
            let next = Sent(delivery: tell(lines), seen: seen, at: at)
            if runsAhead { await pace(before, stalls) }
            before = next
        }
        await pace(before, stalls)
    }

    /// Waits until a batch is out; while no socket takes more, until one does.
    private func pace(_ sent: Sent, _ stalls: (Timestamp?) -> Void) async {
        guard await !sent.delivery.arrived(), isWatched() else { return }
        stalls(sent.at)
        await writable.wait(after: sent.seen)
        stalls(nil)
    }

    /// Counts what is told; when the newest of it was appended.
    private func note(_ lines: [JournalLine]) -> Timestamp? {
        guard let at = lines.last.flatMap({ JournalCodec.head(of: $0.bytes)?.at }) else { return nil }
        metrics.told(records: lines.count, after: clock().since(at))
        return at
    }
}
