// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import DrydockTestSupport
import Testing

@Suite("Conformance: journal", .timeLimit(.minutes(1)))
struct JournalConformanceTests {
    @Test("what was appended is read in order, from every cursor", arguments: StoreKind.all)
    func cursors(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            let step: StepID = "make"
            #expect(try journal.append([], via: .host, step: nil) == 0)
            #expect(
                try journal.append([logLine("1"), logLine("2\n\u{2028}")], via: .observed, step: step) == 2
            )
            for number in 3...99 { try journal.append([logLine("\(number)")], via: .host, step: nil) }
            #expect(try journal.append([finished()], via: .host, step: nil) == 100)
            try journal.sync()
            try await end(store, lease)
            let all = try await readAll(store, lease)
            #expect(all.map(\.seq) == Array(1...100))
            #expect(all[1].event == logLine("2\n\u{2028}") && all[1].via == .observed && all[1].step == step)
            #expect(all.allSatisfy { $0.build == lease.build.id && $0.attempt == lease.attempt })
            for seq in 0...101 as ClosedRange<UInt64> where seq != 101 {
                let reader = try await store.reader(lease.build.id, lease.attempt, after: seq)
                let first = try await reader.next(maxBytes: 1)
                #expect(first?.map(\.seq) == (seq == 100 ? nil : [seq + 1]))
            }
        }
    }

    @Test("a cursor far inside a long journal is found", arguments: StoreKind.all)
    func longJournal(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            // Lines of 0 to 90 KiB: some are longer than any chunk a reader takes.
            for number in 0..<400 {
                let text = String(repeating: "x", count: number % 40 == 7 ? 90_000 : number * 3)
                try journal.append([logLine(text)], via: .host, step: nil)
            }
            try journal.append([finished()], via: .host, step: nil)
            try await end(store, lease)
            for seq in [0, 1, 6, 7, 8, 200, 399, 400] as [UInt64] {
                #expect(try await readAll(store, lease, after: seq).map(\.seq) == Array((seq + 1)...401))
            }
            let beyond = try await store.reader(lease.build.id, lease.attempt, after: .max)
            #expect(try await beyond.available(maxBytes: 10).isEmpty)
        }
    }

    @Test("a batch keeps to its size, but for a record that is larger by itself", arguments: StoreKind.all)
    func batches(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            let lines = (0..<50).map { logLine(String(repeating: "y", count: $0 == 9 ? 20_000 : 100)) }
            try journal.append(lines, via: .host, step: nil)
            let reader = try await store.reader(lease.build.id, lease.attempt, after: 0)
            var seen: [UInt64] = []
            while case let batch = try await reader.available(maxBytes: 1_000), !batch.isEmpty {
                #expect(batch.count == 1 || batch.reduce(0) { $0 + $1.bytes.count } <= 1_000)
                seen += batch.map(\.seq)
            }
            #expect(seen == Array(1...50))
            #expect(try await reader.available(maxBytes: 1_000).isEmpty)
        }
    }

    @Test(
        "a reader in another process waits, from before the first record to the last",
        arguments: StoreKind.all
    )
    func live(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (worker, server) = (try scope.open(), try scope.open())
            let lease = try await worker.enqueueLeased(request(), to: .first)
            async let read = readAll(server, lease)
            let reader = try await server.reader(lease.build.id, lease.attempt, after: 0)
            let journal = try await worker.journal(lease)
            for number in 1...200 as ClosedRange<UInt64> {
                try journal.append([logLine("\(number)")], via: .host, step: nil)
                // Ping-pong: each append is awaited on the other side, so each wait must be woken.
                #expect(try await reader.next(maxBytes: 1 << 20)?.map(\.seq) == [number])
            }
            try journal.append([finished()], via: .host, step: nil)
            try await end(worker, lease)
            #expect(try await read.count == 201)
        }
    }

    @Test("nobody hears the end before the store has it, artifacts and all", arguments: StoreKind.all)
    func endIsThere(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (worker, server) = (try scope.open(), try scope.open())
            let lease = try await worker.enqueueLeased(request(), to: .first)
            let journal = try await worker.journal(lease)
            try journal.append([logLine("1"), finished()], via: .host, step: nil)
            let reader = try await server.reader(lease.build.id, lease.attempt, after: 0)
            #expect(try await reader.next(maxBytes: 1 << 20)?.map(\.seq) == [1])
            #expect(try await reader.available(maxBytes: 1 << 20).isEmpty)
            async let rest = reader.next(maxBytes: 1 << 20)
            try await end(worker, lease, artifacts: [LeaseConformanceTests.artifact])
            #expect(try await rest?.map(\.seq) == [2])
            #expect(try await server.build(lease.build.id)?.state == .succeeded)
            #expect(try await server.artifacts(lease.build.id) == [LeaseConformanceTests.artifact])
            #expect(try await reader.next(maxBytes: 1) == nil)
        }
    }

    @Test("a reader of the tail begins with a whole record near the end", arguments: StoreKind.all)
    func tails(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            for number in 1...500 { try journal.append([logLine("\(number)")], via: .host, step: nil) }
            func read(_ bytes: Int) async throws -> [UInt64] {
                let reader = try await store.reader(lease.build.id, lease.attempt, from: .tail(bytes: bytes))
                return try await reader.available(maxBytes: 1 << 20).map(\.seq)
            }
            let some = try await read(2_000)
            #expect((5...30).contains(some.count) && some == Array(UInt64(501 - some.count)...500))
            #expect(try await read(1 << 20) == Array(1...500))
            #expect(try await read(1) == [500], "the last record, however long it is")
        }
    }

    @Test("a thousand readers get the same", arguments: StoreKind.all)
    func thousandReaders(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            try await withThrowingTaskGroup(of: [UInt64].self) { group in
                for _ in 0..<1_000 {
                    group.addTask { try await readAll(store, lease).map(\.seq) }
                }
                for _ in 0..<5 { try journal.append([logLine("l")], via: .host, step: nil) }
                try journal.append([finished()], via: .host, step: nil)
                try await end(store, lease)
                for try await seen in group { #expect(seen == Array(1...6)) }
            }
        }
    }

    @Test("the readers of an attempt that was lost get its tail and then end", arguments: StoreKind.all)
    func lostAttempt(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (worker, server) = (try scope.open(), try scope.open())
            let lease = try await worker.enqueueLeased(request(), to: .first)
            let journal = try await worker.journal(lease)
            try journal.append([logLine("tail")], via: .host, step: nil)
            let reader = try await server.reader(lease.build.id, lease.attempt, after: 0)
            #expect(try await reader.next(maxBytes: 100)?.count == 1)
            async let rest = reader.next(maxBytes: 100)
            async let none = readAll(server, lease, after: 1)
            scope.clock.advance(by: .seconds(31))
            _ = try await worker.reap()
            #expect(try await rest == nil)
            #expect(try await none.isEmpty)
            #expect(try await readAll(server, lease).map(\.event) == [logLine("tail")])
            let second = try #require(try await worker.lease(to: .second))
            try await worker.journal(second).append([finished()], via: .host, step: nil)
            try await end(worker, second)
            #expect(try await readAll(server, second).map(\.seq) == [1])
            #expect(try await readAll(server, lease).count == 1)
        }
    }

    @Test(
        "a build that ended without a journal ends its readers, with one word about what is missing",
        arguments: StoreKind.all
    )
    func noJournal(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let failure = Failure(.internal, .platform, "m")
            try await store.finish(lease, Outcome(failure), artifacts: [], preview: nil)
            let records = try await readAll(store, lease)
            guard records.count == 1, case .gap = records[0].event else {
                Issue.record("\(records)")
                return
            }
        }
    }

    @Test("a cancelled task stops waiting", arguments: StoreKind.all)
    func cancelledWait(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let reader = try await store.reader(lease.build.id, lease.attempt, after: 0)
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await reader.next(maxBytes: 1) }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("an attempt has one writer, and none after its end", arguments: StoreKind.all)
    func oneWriter(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            await #expect(throws: StoreError.journalInUse(lease.attempt)) { try await store.journal(lease) }
            try journal.append([logLine("1")], via: .host, step: nil)
            try journal.close()
            try journal.close()
            #expect(throws: StoreError.journalEnded(lease.attempt)) {
                try journal.append([logLine("2")], via: .host, step: nil)
            }
            let next = try await store.journal(lease)
            #expect(try next.append([logLine("2"), finished()], via: .host, step: nil) == 3)
            #expect(throws: StoreError.journalEnded(lease.attempt)) {
                try next.append([logLine("3")], via: .host, step: nil)
            }
            try next.close()
            await #expect(throws: StoreError.journalEnded(lease.attempt)) {
                try await store.journal(lease).append([logLine("3")], via: .host, step: nil)
            }
        }
    }

    @Test("threads may append at once; no record is lost or doubled", arguments: StoreKind.all)
    func concurrentAppends(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<100 {
                            try journal.append([logLine("\(writer) \(number)")], via: .host, step: nil)
                        }
                    }
                }
                try await group.waitForAll()
            }
            try journal.append([finished()], via: .host, step: nil)
            try await end(store, lease)
            let records = try await readAll(store, lease)
            #expect(records.map(\.seq) == Array(1...801))
            #expect(Set(records.map(\.event)).count == 801)
        }
    }

    @Test("time does not go backwards in a journal", arguments: StoreKind.all)
    func monotonicTime(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            try journal.append([logLine("1")], via: .host, step: nil)
            scope.clock.advance(by: .seconds(-100))
            try journal.append([finished()], via: .host, step: nil)
            try await end(store, lease)
            let times = try await readAll(store, lease).map(\.at)
            #expect(times == times.sorted())
        }
    }

    @Test(
        "only attempts that exist are opened, whatever their name looks like",
        arguments: ["a_x", "", "../../etc/passwd", ".", "a\0b"]
    )
    func foreignNames(_ name: String) async throws {
        try await StoreScope.run { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            await #expect(throws: StoreError.self) {
                try await store.reader(lease.build.id, AttemptID(rawValue: name), after: 0)
            }
            await #expect(throws: StoreError.self) {
                try await store.reader(BuildID(rawValue: name), lease.attempt, after: 0)
            }
        }
    }
}
