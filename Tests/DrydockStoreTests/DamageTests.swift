// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import GRDB
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("Embedded store: damage", .timeLimit(.minutes(2)))
struct DamageTests {
    @Test(
        "a torn tail is cut off and told, and the numbers go on without a gap",
        arguments: [
            #"{"seq":3,"ts":1.0"#, "\n", "garbage\n", "\0\0\0\0", #"{"seq":3}"# + "\n{\n\n" + #"{"se"#,
            String(repeating: "z", count: 200_000),
        ]
    )
    func tornTail(_ tail: String) async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let writer = try await store.journal(lease)
            try writer.append([logLine("1"), logLine("2")], via: .host, step: nil)
            try writer.close()
            let path = store.directory.segment(lease.build.id, lease.attempt)
            let file = try #require(FileHandle(forWritingAtPath: path.string))
            try file.seekToEnd()
            try file.write(contentsOf: Data(tail.utf8))
            try file.close()

            let next = try await store.journal(lease)
            try next.append([logLine("4"), finished()], via: .host, step: nil)
            try await end(store, lease)
            let records = try await readAll(store, lease)
            #expect(records.map(\.seq) == [1, 2, 3, 4, 5])
            guard case .gap(let gap) = records[2].event else {
                Issue.record("the cut is not told: \(records[2])")
                return
            }
            #expect(gap.bytes == ByteCount(Int64(tail.utf8.count)))
        }
    }

    @Test(
        "records that were damaged or lost are a gap in their place, told once; the rest is served",
        arguments: [
            (#"{"seq":2,"#, #"{"sfq":2,"#, [1, 2, 3, 4]), (#""text":"2"}"#, "\0\0\0", [1, 2, 3, 4]),
            (#"{"seq":1,"#, "", [1, 2, 3, 4]),
        ] as [(String, String, [UInt64])]
    )
    func damaged(_ part: String, _ damage: String, _ seqs: [UInt64]) async throws {
        try await StoreScope.run { scope in
            let told = Mutex<[StoreDamage]>([])
            var options = scope.options
            options.onDamage = { damage in told.withLock { $0.append(damage) } }
            let store = try EmbeddedStore(opening: scope.path, options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let writer = try await store.journal(lease)
            try writer.append(
                [logLine("1"), logLine("2"), logLine("3"), finished()],
                via: .host,
                step: nil
            )
            try await end(store, lease)
            let path = store.directory.segment(lease.build.id, lease.attempt).string
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let damaged = text.replacingOccurrences(of: part, with: damage)
            try #require(damaged != text)
            try damaged.write(toFile: path, atomically: false, encoding: .utf8)
            for _ in 1...2 {
                let records = try await readAll(store, lease)
                #expect(records.map(\.seq) == seqs)
                #expect(records.count { if case .gap = $0.event { true } else { false } } == 1)
                #expect(records.last?.event == finished())
            }
            #expect(told.withLock { $0.count } == 1)
        }
    }

    @Test("a journal that was shortened ends with a gap, and one that is gone is one")
    func shortened() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let writer = try await store.journal(lease)
            try writer.append([logLine("1"), logLine("2"), finished()], via: .host, step: nil)
            try await end(store, lease)
            let path = store.directory.segment(lease.build.id, lease.attempt).string
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try String(text.prefix(text.count / 2)).write(toFile: path, atomically: false, encoding: .utf8)
            let records = try await readAll(store, lease)
            #expect(records.map(\.seq) == [1, 2] && records[0].event == logLine("1"))
            guard case .gap = try #require(records.last).event else {
                Issue.record("the loss is not told: \(records)")
                return
            }
            unlink(path)
            #expect(try await readAll(store, lease).map(\.seq) == [1])
        }
    }

    @Test("a row that does not decode is shown as damaged, told once, and in nobody's way")
    func damagedRow() async throws {
        try await StoreScope.run { scope in
            let told = Mutex<[StoreDamage]>([])
            var options = scope.options
            options.onDamage = { damage in told.withLock { $0.append(damage) } }
            let store = try EmbeddedStore(opening: scope.path, options)
            let first = try await store.enqueue(request("a"))
            let second = try await store.enqueue(request("b"))
            try await store.database.write { db in
                try db.execute(
                    sql: "UPDATE builds SET request = CAST('{' AS BLOB), created_at = 'x' WHERE id = ?",
                    arguments: [first.id.rawValue]
                )
            }
            let builds = try await store.builds(BuildFilter())
            #expect(builds.map(\.id) == [second.id, first.id])
            #expect(builds[1].state == .errored && builds[1].failure?.message.contains("damaged") == true)
            #expect(builds[1].request.session.rawValue == "a")
            #expect(try await store.changes(after: 0, limit: 10).count == 2)
            #expect(try await store.lease(to: .first)?.build.id == second.id)
            #expect(try await store.lease(to: .first) == nil)
            #expect(try await store.build(first.id)?.state == .errored)
            #expect(told.withLock { $0.count } == 1)
        }
    }

    @Test("damage in a row that is leased, or in the id of one that waits, holds up nobody else")
    func damagedInTheWay() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let leased = try await store.enqueueLeased(request("a"), to: .first)
            let other = try await store.enqueueLeased(request("b"), to: .first)
            let waiting = try await store.enqueue(request("c"))
            let next = try await store.enqueue(request("d"))
            try await store.database.write { db in
                try db.execute(
                    sql: "UPDATE builds SET request = x'7b' WHERE id = ?",
                    arguments: [leased.build.id.rawValue]
                )
                try db.execute(
                    sql: "UPDATE builds SET id = x'ff', request = x'7b' WHERE id = ?",
                    arguments: [waiting.id.rawValue]
                )
            }
            #expect(try await store.lease(to: .second)?.build.id == next.id)
            scope.clock.advance(by: .seconds(31))
            let taken = try await store.reap()
            #expect(Set(taken.map(\.id)).isSuperset(of: [leased.build.id, other.build.id]))
            #expect(try await store.build(leased.build.id)?.state == .errored)
            #expect(try await store.build(other.build.id)?.state == .queued)
            // Read where builds are followed, too, where a wrong type would end the process.
            try await store.database.write { db in
                let sql = "UPDATE builds SET attempt = x'ff', revision = revision + 100 WHERE id = ?"
                try db.execute(sql: sql, arguments: [leased.build.id.rawValue])
            }
            guard case .finished = try await readAll(store, leased).last?.event else {
                Issue.record("the reaper's end is missing")
                return
            }
        }
    }

    @Test("a number that jumps takes no good records with it, and what is no line is passed over in bounds")
    func jumps() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let writer = try await store.journal(lease)
            try writer.append((1...9).map { logLine("\($0)") } + [finished()], via: .host, step: nil)
            try await end(store, lease)
            let path = store.directory.segment(lease.build.id, lease.attempt).string
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let jumping = text.replacingOccurrences(of: #"{"seq":5,"#, with: #"{"seq":9950,"#)
            try jumping.write(toFile: path, atomically: false, encoding: .utf8)
            #expect(try await readAll(store, lease).map(\.seq) == Array(1...10))
            let lines = text.split(separator: "\n")
            let noise = String(repeating: "x", count: 20 << 20)
            try
                (lines[..<4].joined(separator: "\n") + "\n" + noise + "\n"
                + lines[5...].joined(separator: "\n") + "\n")
                .write(toFile: path, atomically: false, encoding: .utf8)
            let records = try await readAll(store, lease)
            #expect(records.map(\.seq) == Array(1...10))
            #expect(records.count { if case .gap = $0.event { true } else { false } } == 1)
        }
    }
}
