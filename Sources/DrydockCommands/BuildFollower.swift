// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockProtocol
internal import DrydockStore
internal import Synchronization

/// Reads one attempt's journal to its end and shows it: the terminal's side of every build.
struct BuildFollower {
    let store: any Store
    let build: BuildID
    let attempt: AttemptID

    /// How the records reach the user.
    enum Output {
        case view(any TerminalView & Sendable)
        /// The journal's own lines (NDJSON).
        case json
    }

    /// Shows every record.
    ///
    /// Returns how the attempt ended; nil when its journal ended without a `finished` record.
    func follow(_ output: Output) async throws -> Outcome? {
        let reader = try await store.reader(build, attempt, after: 0)
        switch output {
        case .json: return try await followLines(reader)
        case .view(let view): return try await followRecords(reader, view)
        }
    }

    private func followLines(_ reader: any JournalReader) async throws -> Outcome? {
        var outcome: Outcome?
        while let lines = try await reader.next(maxBytes: 1 << 18) {
            for line in lines {
                Console.bytes(line.bytes + [UInt8(ascii: "\n")])
                if case .finished(let finished) = try JournalCodec.decode(line.bytes)?.event {
                    outcome = finished.outcome
                }
            }
        }
        return outcome
    }

    private func followRecords(
        _ reader: any JournalReader,
        _ view: any TerminalView & Sendable
    ) async throws -> Outcome? {
        let screen = Screen(view)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // cancelled with the build's end
                while (try? await Task.sleep(for: .milliseconds(500))) != nil {
                    screen.use { $0.tick(at: .now()) }
                }
            }
            defer {
                group.cancelAll()
                screen.use { $0.close() }
            }
            var outcome: Outcome?
            while let lines = try await reader.next(maxBytes: 1 << 18) {
                for line in lines {
                    guard let record = try JournalCodec.decode(line.bytes) else { continue }
                    screen.use { $0.show(record) }
                    if case .finished(let finished) = record.event { outcome = finished.outcome }
                }
            }
            return outcome
        }
    }
}

/// A view that its records and the clock both draw on.
private final class Screen: Sendable {
    private let view: Mutex<any TerminalView & Sendable>

    init(_ view: any TerminalView & Sendable) { self.view = Mutex(view) }

    func use(_ body: (inout any TerminalView & Sendable) -> Void) { view.withLock { body(&$0) } }
}
