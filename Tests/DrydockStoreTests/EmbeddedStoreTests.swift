// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import GRDB
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("Embedded store: restarts, holders, the queue's cost", .timeLimit(.minutes(2)))
struct EmbeddedStoreTests {
    @Test("everything survives a restart, running leases included")
    func restart() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let waiting = try await first.enqueue(request("a", key: "k"))
            let lease = try await first.enqueueLeased(request("b"), to: .first)
            try await first.journal(lease).append([logLine("1")], via: .host, step: nil)
            _ = try await first.requestCancel(lease.build.id, by: "x", reason: "y")
            try first.close()

            let second = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try await second.build(waiting.id) == waiting)
            #expect(try await second.enqueue(request("a", key: "k")) == waiting)
            #expect(try await second.renew(lease))
            var cancels = try await second.cancelRequests(lease).makeAsyncIterator()
            #expect(await cancels.next() == CancelRequest(by: "x", reason: "y"))
            let journal = try await second.journal(lease)
            #expect(try journal.append([finished()], via: .host, step: nil) == 2)
            try await end(second, lease)
            #expect(try await readAll(second, lease).map(\.seq) == [1, 2])
        }
    }

    @Test("closing ends the streams, and wakes the readers for the last time")
    func closing() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let reader = try await store.reader(lease.build.id, lease.attempt, after: 0)
            var bell = try store.changeBell().makeAsyncIterator()
            await bell.next()
            store.bells.close()
            while await bell.next() != nil {}
            #expect(try await reader.next(maxBytes: 1) == nil)
            #expect(try await store.changeBell().isEnded())
        }
    }

    @Test("a lease is taken back at once when its holder was killed, not while it lives or can not be told")
    func killedHolder() async throws {
        try await StoreScope.run { scope in
            let path = scope.path.string
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let store = try EmbeddedStore(opening: FilePath(path))
                let registration = try await store.register(.first)
                _ = try await store.enqueueLeased(request("killed"), to: .first)
                withExtendedLifetime(registration) { _ = kill(getpid(), SIGKILL) }
            }
            let store = try EmbeddedStore(opening: scope.path)
            let living = try await store.register(.second)
            _ = try await store.enqueueLeased(request("living"), to: .second)
            _ = try await store.enqueueLeased(request("unknown"), to: WorkerID(rawValue: "elsewhere"))
            let taken = try await store.reap()
            #expect(taken.map(\.request.session.rawValue) == ["killed"] && taken[0].state == .queued)
            #expect(try await store.reap().isEmpty)
            let isFirst = try await store.isRegistered(.first)
            #expect(try await store.isRegistered(.second) && !isFirst)
            living.end()
            #expect(try DataDirectory.names(in: store.directory.holders).isEmpty)
        }
    }

    @Test("a claim looks at one row, whatever waits or was started; old starts are forgotten a few at a time")
    func claims() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let old = scope.clock.wall.milliseconds
            try await store.database.write { db in
                let sql = """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                    INSERT INTO attempts (id, build, session, number, worker, started_at)
                    SELECT 'a_' || i, 'b_' || i, 's' || (i % 50), 1, 'w', ? FROM n;
                    """
                try db.execute(sql: sql, arguments: [old])
            }
            func counted() async throws -> Int {
                try await store.database.read { db in
                    let starts = try Int.fetchOne(db, sql: "SELECT SUM(starts) FROM shares") ?? 0
                    let marked = try Int.fetchOne(db, sql: "SELECT SUM(counted) FROM attempts") ?? 0
                    #expect(starts == marked)
                    return starts
                }
            }
            #expect(try await counted() == 20_000)
            _ = try await store.enqueue(request("s1"))
            _ = try await store.enqueue(request("fresh"))
            var lease: Lease?
            let plans = try await statementPlans(of: store) { lease = try await store.lease(to: .first) }
            #expect(lease?.build.request.session.rawValue == "fresh")
            #expect(plans.contains { $0.contains("places_turn") }, "\(plans)")
            // A row for each token with something that waits, of whose sessions the first of an index in the order that is
            // asked for is taken. The counter is one row.
            let costly = plans.filter {
                let isBounded = $0.contains("submitters_turn") || $0 == "SCAN counter"
                return $0.hasPrefix("SCAN") && !isBounded
                    || $0.contains("B-TREE") && !$0.hasSuffix(" OF ORDER BY")
            }
            #expect(costly.isEmpty)
            #expect(try await counted() == 20_001)
            scope.clock.advance(by: .seconds(3_600))
            _ = try await store.lease(to: .first)
            #expect(try await counted() == 20_001 - 64 + 1)
        }
    }

    /// How the database carries out each statement that `body` lets it write, or read on its way to that.
    private func statementPlans(
        of store: EmbeddedStore,
        _ body: () async throws -> Void
    ) async throws -> [String] {
        let statements = Mutex<[String]>([])
        try await store.database.write { db in
            db.trace { event in
                guard case .statement(let statement) = event else { return }
                statements.withLock { $0.append(statement.expandedSQL) }
            }
        }
        try await body()
        return try await store.database.write { db in
            db.trace(options: [])
            let verbs = ["SELECT", "UPDATE", "INSERT", "DELETE"]
            return try statements.withLock { $0 }.filter { verbs.contains(where: $0.hasPrefix) }.flatMap {
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + $0).map { $0["detail"] as String }
            }
        }
    }

    @Test("an end that the reaper gives stands in the journal too")
    func reapedEnd() async throws {
        try await StoreScope.run { scope in
            var options = scope.options
            options.attempts = 1
            let store = try EmbeddedStore(opening: scope.path, options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(lease)
            try journal.append([logLine("1")], via: .host, step: nil)
            // As its process's end does; the last reference may be let go a moment later, on another thread.
            try journal.close()
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().first?.failure?.code == .lost)
            guard case .finished(let end)? = try await readAll(store, lease).last?.event else {
                Issue.record("the journal has no end")
                return
            }
            #expect(end.outcome.failure?.code == .lost)
        }
    }

    @Test("kill -9 in the middle of appends: every record that a reader saw is there, and the numbers go on")
    func killed() async throws {
        try await StoreScope.run { scope in
            let path = scope.path.string
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let store = try EmbeddedStore(opening: FilePath(path))
                let lease = try await store.enqueueLeased(request(), to: .first)
                let journal = try await store.journal(lease)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        while true {
                            try journal.append([logLine("a"), logLine("b")], via: .host, step: nil)
                        }
                    }
                    var seen: UInt64 = 0
                    for try await batch in try await store.follow(lease.build.id, lease.attempt) {
                        seen = batch.last?.seq ?? seen
                        if seen > 1_000 {
                            try "\(seen)".write(toFile: path + "/seen", atomically: true, encoding: .utf8)
                            kill(getpid(), SIGKILL)
                        }
                    }
                }
            }
            let seen = try #require(UInt64(try String(contentsOfFile: path + "/seen", encoding: .utf8)))
            let store = try EmbeddedStore(opening: scope.path)
            let build = try #require(try await store.builds(BuildFilter()).first)
            let attempt = try #require(build.attempt)
            let lease = Lease(build: build, attempt: attempt, number: 1, worker: .first)
            let last = try await store.journal(lease).append([finished()], via: .host, step: nil)
            #expect(last > seen)
            let fresh = Lease(build: build, attempt: attempt, number: 1, worker: WorkerID(rawValue: "w1"))
            try await end(store, fresh)
            #expect(try await readAll(store, lease).map(\.seq) == Array(1...last))
        }
    }

    @Test("a database of the first version learns how many builds wait, and counts on from there")
    func waitingCounted() async throws {
        try await StoreScope.run { scope in
            let directory = try DataDirectory(opening: scope.path)
            let old = try DatabaseQueue(path: directory.database.string)
            try Schema.migrator.migrate(old, upTo: "1-first-voyage")
            try await old.write { db in
                try db.execute(
                    sql: """
                        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
                        INSERT INTO builds (id, session, project, state, request, attempts, created_at, revision)
                        SELECT 'b_' || i, 's' || i, 'p', 'queued', CAST(? AS BLOB), 0, 0, i FROM n;
                        """,
                    arguments: [try JSONEncoder().encode(request("old"))]
                )
                try db.execute(sql: "UPDATE counter SET revision = 9999")
            }
            try old.close()
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let last = try await store.enqueue(request("new"))
            await #expect(throws: StoreError.queueFull(.all, limit: 10_000)) {
                try await store.enqueue(request("new"))
            }
            // Each way out of the queue makes room: a cancel here, a lease there.
            _ = try await store.requestCancel(last.id, by: "t", reason: "")
            _ = try await store.enqueue(request("new"))
            let lease = try #require(try await store.lease(to: .first))
            _ = try await store.enqueue(request("new"))
            // And a build that comes back takes its room again.
            try await store.move(lease, to: .queued)
            await #expect(throws: StoreError.queueFull(.all, limit: 10_000)) {
                try await store.enqueue(request("new"))
            }
            try store.close()
        }
    }
}

extension AsyncStream {
    fileprivate func isEnded() async -> Bool {
        var iterator = makeAsyncIterator()
        return await iterator.next() == nil
    }
}
