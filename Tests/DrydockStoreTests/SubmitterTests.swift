// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Foundation
import GRDB
import Testing

@testable import DrydockStore

@Suite("Turns of tokens")
struct SubmitterTests {
    private let flood = Digest(rawValue: "sha256:f")
    private let calm = Digest(rawValue: "sha256:c")

    @Test("who makes up sessions gets no more turns than who does not", arguments: StoreKind.all)
    func invented(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            var ids: [BuildID] = []
            for index in 0..<6 {
                ids.append(try await store.enqueue(request("f\(index)", submitter: flood)).id)
            }
            for _ in 0..<2 { ids.append(try await store.enqueue(request("c", submitter: calm)).id) }
            let places = try await store.queuePositions(ids)
            #expect(ids.map { places[$0] } == [0, 2, 4, 5, 6, 7, 1, 3])
            var order: [BuildID] = []
            while let lease = try await store.lease(to: .first) {
                order.append(lease.build.id)
                try await end(store, lease)
            }
            #expect(order == [0, 6, 1, 7, 2, 3, 4, 5].map { ids[$0] })
            #expect(try await rows(store) == ["sha256:c 0 0 2", "sha256:f 0 0 6"])
        }
    }

    @Test("a free slot is theirs who has fewer running, however often they started", arguments: StoreKind.all)
    func slots(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            for index in 0..<3 {
                _ = try await store.enqueue(request("c\(index)", submitter: calm))
                try await end(store, #require(try await store.lease(to: .first)))
            }
            // Builds that take hours, and nobody else is there.
            for index in 0..<3 { _ = try await store.enqueue(request("f\(index)", submitter: flood)) }
            let long = try #require(try await store.lease(to: .first))
            let last = try await store.enqueue(request("c", submitter: calm))
            #expect(try await store.queuePosition(last.id) == 0)
            let next = try #require(try await store.lease(to: .second))
            #expect(long.build.request.submitter == flood && next.build.id == last.id)
            #expect(try await rows(store) == ["sha256:c 0 1 4", "sha256:f 2 1 1"])
        }
    }

    @Test("a session that two share waits in the turn of who is next in it", arguments: StoreKind.all)
    func shared(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let first = try await store.enqueue(request("both", submitter: flood))
            let second = try await store.enqueue(request("both", submitter: calm))
            let third = try await store.enqueue(request("own", submitter: flood))
            let lease = try #require(try await store.lease(to: .first))
            #expect(lease.build.id == first.id)
            // The other one's build is first by its turn, and its session is busy.
            #expect(try await store.lease(to: .second)?.build.id == third.id)
            #expect(try await store.lease(to: .second) == nil)
            try await end(store, lease)
            #expect(try await store.lease(to: .second)?.build.id == second.id)
        }
    }

    @Test(
        "who gets in front of another's build in its session does not keep it from its turn",
        arguments: StoreKind.all
    )
    func inFront(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            for _ in 0..<2 {
                _ = try await store.enqueue(request("v", submitter: calm))
                try await end(store, #require(try await store.lease(to: .first)))
            }
            // Its own other sessions had fewer starts: in its own turn this one would never be next.
            let front = try await store.enqueue(request("v", submitter: flood))
            let behind = try await store.enqueue(request("v", submitter: calm))
            var order: [String] = []
            for index in 0..<6 {
                _ = try await store.enqueue(request("f\(index)", submitter: flood))
                let lease = try #require(try await store.lease(to: .first))
                order.append(lease.build.request.session.rawValue)
                if lease.build.id == front.id {
                    #expect(try await store.queuePosition(behind.id) == 0)
                }
                try await end(store, lease)
            }
            #expect(order == ["f0", "f1", "v", "v", "f2", "f3"])
        }
    }

    @Test("what is removed stops to count, and what was removed before does, too")
    func removed() async throws {
        try await StoreScope.run { scope in
            let directory = try DataDirectory(opening: scope.path)
            let old = try DatabaseQueue(path: directory.database.string)
            try Schema.migrator.migrate(old, upTo: "10-sealed-journals")
            let now = scope.clock.wall.milliseconds
            try await old.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO attempts (id, build, session, number, worker, started_at)
                        VALUES ('a_1', 'b', 's', 1, 'w', \(now)), ('a_2', 'b', 's', 2, 'w', \(now));
                        DELETE FROM attempts WHERE id = 'a_1';
                        """
                )
                #expect(try Int.fetchOne(db, sql: "SELECT starts FROM shares") == 2)
            }
            try old.close()
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try await rows(store) == [" 0 0 1"])
            _ = try await store.enqueue(request("t", submitter: calm))
            try await end(store, #require(try await store.lease(to: .first)))
            #expect(try await rows(store) == [" 0 0 1", "sha256:c 0 0 1"])
            try await store.database.write { db in try db.execute(sql: "DELETE FROM attempts") }
            #expect(try await rows(store) == [])
            let shares = try await store.database.read {
                try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM shares")
            }
            #expect(shares == 0)
            try store.close()
        }
    }

    @Test("a token that has a full queue is refused, and others are not", arguments: StoreKind.all)
    func full(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            var options = scope.options
            options.queuedPerSubmitter = 2
            let store = try kind.open(scope.path, options)
            for index in 0..<2 {
                _ = try await store.enqueue(request("f\(index)", key: "\(index)", submitter: flood))
            }
            await #expect(throws: StoreError.queueFull(.submitter, limit: 2)) {
                try await store.enqueue(request("f2", submitter: flood))
            }
            await #expect(throws: StoreError.queueFull(.submitter, limit: 2)) {
                try await store.checkRoom(for: flood, nil, repeating: "new", in: "")
            }
            try await store.checkRoom(for: flood, nil, repeating: "1", in: "")
            try await store.checkRoom(for: calm, nil, repeating: nil, in: "")
            _ = try await store.enqueue(request("c", submitter: calm))
            // Who needs no token is not one who floods: there is nobody to be fair to.
            for index in 0..<3 { _ = try await store.enqueue(request("n\(index)")) }
            _ = try #require(try await store.lease(to: .first))
            _ = try await store.enqueue(request("f2", submitter: flood))
        }
    }

    @Test("a database of before goes on: what waits and runs in it came with no token")
    func migrated() async throws {
        try await StoreScope.run { scope in
            let directory = try DataDirectory(opening: scope.path)
            let old = try DatabaseQueue(path: directory.database.string)
            try Schema.migrator.migrate(old, upTo: "10-sealed-journals")
            try await old.write { db in
                let insert = """
                    INSERT INTO builds (id, session, project, state, request, attempts, created_at, revision)
                    VALUES (?, ?, 'p', 'queued', CAST(? AS BLOB), 0, 0, 1)
                    """
                for name in ["a", "b", "c"] {
                    let json = try JSONEncoder().encode(request(name))
                    try db.execute(sql: insert, arguments: ["b_\(name)", name, json])
                }
                try db.execute(
                    sql: "UPDATE builds SET state = 'running', worker = 'w', lease_until = 1 WHERE id = 'b_a'"
                )
            }
            try old.close()
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try await rows(store) == [" 2 1 0"])
            let new = try await store.enqueue(request("n", submitter: calm))
            #expect(try await store.lease(to: .first)?.build.id == new.id, "nothing of it runs")
            #expect(try await store.lease(to: .first)?.build.id.rawValue == "b_b")
            #expect(try await rows(store) == [" 1 2 1", "sha256:c 0 1 1"])
            try store.close()
        }
    }

    /// What the database has counted of each submitter: its builds that wait and run, and its starts.
    private func rows(_ store: any Store) async throws -> [String] {
        let embedded = try #require(store as? EmbeddedStore)
        return try await embedded.database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM submitters ORDER BY submitter").map { row in
                let counts = ["waiting", "running", "starts"].map { row[$0] as Int }.map(String.init)
                return ([row["submitter"] as String] + counts).joined(separator: " ")
            }
        }
    }
}
