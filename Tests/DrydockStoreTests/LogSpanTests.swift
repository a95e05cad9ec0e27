// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import Synchronization
import Testing

@testable import DrydockStore

/// The log's line N is record N + 1 here.
@Suite("Ranges of lines", .timeLimit(.minutes(1)))
struct LogSpanTests {
    @Test("lines are found by their numbers and from the end, in a plain journal and in a sealed one")
    func ranges() async throws {
        let cases: [(LogRange, UInt64?, UInt64?)] = [
            (.lines(1, through: 1), 2, 2), (.lines(1, through: 3_000), 2, 3_001),
            (.lines(500, through: 1_499), 501, 1_500), (.lines(2_999, through: nil), 3_000, nil),
            (.lines(3_000, through: 9_000), 3_001, nil), (.lines(3_001, through: nil), nil, nil),
            (.lines(1 << 53, through: 1 << 53), nil, nil), (.last(1), 3_001, nil), (.last(200), 2_802, nil),
            (.last(3_000), 2, nil), (.last(9_000), 2, nil),
        ]
        try await withEndedBuild(lines: 3_000) { build in
            for isSealed in [false, true] {
                if isSealed { try await build.seal() }
                for (range, first, last) in cases {
                    let span = try await build.store.logSpan(build.lease.build.id, build.lease.attempt, range)
                    #expect(span.first == first, "\(range), sealed: \(isSealed)")
                    // Of a plain journal, the last line is known where it was counted.
                    if isSealed || span.last != 3_001 {
                        #expect(span.last == (last == 3_001 ? nil : last), "\(range), sealed: \(isSealed)")
                    }
                    #expect(span.lines == (isSealed ? 3_000 : nil))
                }
            }
        }
    }

    @Test("where a line was in a damaged block, the range takes in what is left to be told of it")
    func damaged() async throws {
        try await withEndedBuild(lines: 3_000) { build in
            try await build.seal()
            let block = try build.index().blocks[2]
            try build.overwrite(build.sealed, at: block.position + 100, with: Array("damage".utf8))
            let (id, attempt) = (build.lease.build.id, build.lease.attempt)
            let inside = LogRange.lines(block.line + 5, through: block.line + 6)
            let span = try await build.store.logSpan(id, attempt, inside)
            #expect(span.first == block.seq && span.last == block.lastSeq)
            let behind = try await build.store.logSpan(
                id,
                attempt,
                .lines(block.lastSeq, through: block.lastSeq + 1)
            )
            #expect(behind.first == block.lastSeq + 1 && behind.last == block.lastSeq + 2)
        }
    }

    @Test("few count lines at one time; the others wait for their turn, and all are answered")
    func turns() async throws {
        try await withEndedBuild(lines: 10) { build in
            let (most, all) = (EmbeddedStore.countedAtOnce, EmbeddedStore.countedAtOnce + 5)
            let held = HeldLooks()
            try await withThrowingTaskGroup(of: LogSpan.self) { group in
                for number in 0..<all {
                    group.addTask {
                        try await build.span(.lines(1, through: 3)) { held.look(number) }
                    }
                }
                while held.count < most { await Task.yield() }
                // The others had their chance, too.
                for _ in 0..<10_000 { await Task.yield() }
                #expect(held.count == most)
                held.open()
                for try await span in group { #expect(span == LogSpan(first: 2, last: 4, newest: 4)) }
            }
            #expect(held.count == all)
        }
    }

    @Test("counting ends when nobody wants to know any more", arguments: [true, false])
    func unwanted(isCancelled: Bool) async throws {
        try await withEndedBuild(lines: 10) { build in
            for range in [LogRange.lines(1, through: nil), .last(1_000)] {
                let held = HeldLooks(answer: isCancelled)
                // UNSTRUCTURED: awaited below, and cancelled there.
                let asking = Task { try await build.span(range) { held.look(0) } }
                while held.count == 0 { await Task.yield() }
                if isCancelled { asking.cancel() }
                held.open()
                await #expect(throws: CancellationError.self) { try await asking.value }
            }
            let again = try await build.span(.last(1)) { true }
            #expect(again.first == 11, "the turn was given back")
        }
    }

    @Test("a log without lines has none of them")
    func empty() async throws {
        try await withEndedBuild(lines: 0) { build in
            for isSealed in [false, true] {
                if isSealed { try await build.seal() }
                for range in [LogRange.lines(1, through: nil), .last(5)] {
                    #expect(
                        try await build.store.logSpan(build.lease.build.id, build.lease.attempt, range).first
                            == nil
                    )
                }
            }
        }
    }
}

extension EndedBuild {
    fileprivate func span(
        _ range: LogRange,
        while isWanted: @escaping @Sendable () -> Bool
    ) async throws -> LogSpan {
        try await store.logSpan(lease.build.id, lease.attempt, range, while: isWanted)
    }
}

/// Holds those that look whether they are still wanted until it is opened.
private final class HeldLooks: Sendable {
    private let lookers = Mutex<Set<Int>>([])
    private let isOpen = SetOnce()
    private let answer: Bool

    /// `answer` = what they see.
    init(answer: Bool = true) { self.answer = answer }

    /// How many have looked.
    var count: Int { lookers.withLock(\.count) }

    /// On a thread that may wait.
    func look(_ number: Int) -> Bool {
        lookers.withLock { _ = $0.insert(number) }
        while !isOpen.value { sched_yield() }
        return answer
    }

    func open() { isOpen.set() }
}
