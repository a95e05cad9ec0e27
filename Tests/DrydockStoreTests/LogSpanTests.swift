// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
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
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let build = try await EndedBuild(store, lines: 3_000)
            for isSealed in [false, true] {
                if isSealed { try await build.seal() }
                for (range, first, last) in cases {
                    let span = try await store.logSpan(build.lease.build.id, build.lease.attempt, range)
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
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let build = try await EndedBuild(store, lines: 3_000)
            try await build.seal()
            let block = try #require(try SegmentFile.reading(build.plain)?.index).blocks[2]
            try build.overwrite(build.sealed, at: block.position + 100, with: Array("damage".utf8))
            let (id, attempt) = (build.lease.build.id, build.lease.attempt)
            let inside = LogRange.lines(block.line + 5, through: block.line + 6)
            let span = try await store.logSpan(id, attempt, inside)
            #expect(span.first == block.seq && span.last == block.lastSeq)
            let behind = try await store.logSpan(
                id,
                attempt,
                .lines(block.lastSeq, through: block.lastSeq + 1)
            )
            #expect(behind.first == block.lastSeq + 1 && behind.last == block.lastSeq + 2)
        }
    }

    @Test("a log without lines has none of them")
    func empty() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let build = try await EndedBuild(store, lines: 0)
            for isSealed in [false, true] {
                if isSealed { try await build.seal() }
                for range in [LogRange.lines(1, through: nil), .last(5)] {
                    #expect(
                        try await store.logSpan(build.lease.build.id, build.lease.attempt, range).first == nil
                    )
                }
            }
        }
    }
}
