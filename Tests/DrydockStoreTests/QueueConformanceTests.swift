// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import Testing

@Suite("Conformance: queue", .timeLimit(.minutes(1)))
struct QueueConformanceTests {
    @Test("an accepted build is found again as it was asked for", arguments: StoreKind.all)
    func accepted(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let build = try await store.enqueue(request(title: "äö\n"))
            #expect(build.state == .queued && build.attempts == 0 && build.createdAt == scope.clock.wall)
            #expect(try await store.build(build.id) == build)
            #expect(try await store.build(BuildID(rawValue: "b_nobody")) == nil)
            #expect(try await store.builds(BuildFilter()) == [build])
        }
    }

    @Test(
        "a repeated idempotency key answers with the first build; with another body it is refused",
        arguments: StoreKind.all
    )
    func idempotency(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let first = try await store.enqueue(request("a", key: "k"))
            let again = try await store.enqueue(request("a", key: "k", title: "other"))
            #expect(again == first)
            // Also in another session: keys belong to their scope, which is the client's token.
            #expect(try await store.enqueue(request("b", key: "k")) == first)
            await #expect(throws: StoreError.keyReused(first.id)) {
                try await store.enqueue(request("a", key: "k", body: Digest(rawValue: "sha256:2")))
            }
            await #expect(throws: StoreError.alreadyAccepted(first.id)) {
                try await store.enqueueLeased(request("a", key: "k"), to: .first)
            }
        }
    }

    @Test("places are those of the fair order, not of arrival", arguments: StoreKind.all)
    func positions(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            var ids: [BuildID] = []
            for session in ["a", "a", "a", "b", "b", "c"] {
                ids.append(try await store.enqueue(request(session)).id)
            }
            func places() async throws -> [Int?] {
                let places = try await store.queuePositions(ids)
                return ids.map { places[$0] }
            }
            #expect(try await places() == [0, 3, 5, 1, 4, 2])
            let lease = try #require(try await store.lease(to: .first))
            #expect(lease.build.id == ids[0])
            // "a" had a start: its next one waits behind the others' first, and comes after their second by its round.
            #expect(try await places() == [nil, 2, 4, 0, 3, 1])
            var started: [BuildID] = []
            try await end(store, lease)
            while let next = try await store.lease(to: .first) {
                started.append(next.build.id)
                try await end(store, next)
            }
            #expect(started == [ids[3], ids[5], ids[1], ids[4], ids[2]])
            #expect(try await store.queuePositions(ids).isEmpty)
        }
    }

    @Test("a build handed back is not a lost attempt; only losses count", arguments: StoreKind.all)
    func handedBack(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            _ = try await store.enqueue(request())
            for number in 1...5 {
                let lease = try #require(try await store.lease(to: .first))
                #expect(lease.number == number)
                try await store.move(lease, to: .queued)
            }
            let lost = try #require(try await store.lease(to: .first))
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().map(\.state) == [.queued], "the first loss of two")
            _ = try #require(try await store.lease(to: .first))
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().map(\.state) == [.errored], "the second one")
            #expect(try await store.build(lost.build.id)?.failure?.code == .lost)
        }
    }

    @Test("a session's builds come one after the other, in order", arguments: StoreKind.all)
    func oneASession(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let first = try await store.enqueue(request())
            let second = try await store.enqueue(request())
            #expect(try await store.queuePosition(first.id) == 0)
            #expect(try await store.queuePosition(second.id) == 1)
            let lease = try #require(try await store.lease(to: .first))
            #expect(lease.build.id == first.id && lease.number == 1 && lease.build.state == .preparing)
            #expect(lease.build.attempt == lease.attempt && lease.build.startedAt == scope.clock.wall)
            #expect(try await store.queuePosition(first.id) == nil)
            #expect(try await store.lease(to: .second) == nil)
            try await end(store, lease)
            #expect(try await store.lease(to: .second)?.build.id == second.id)
        }
    }

    @Test("a session with fewer recent starts goes first", arguments: StoreKind.all)
    func fairness(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            for session in ["greedy", "greedy", "greedy", "modest", "late"] {
                _ = try await store.enqueue(request(session))
            }
            var order: [String] = []
            while let lease = try await store.lease(to: .first) {
                order.append(lease.build.request.session.rawValue)
                try await end(store, lease)
            }
            #expect(order == ["greedy", "modest", "late", "greedy", "greedy"])
        }
    }

    @Test("a full queue refuses, by session and in all, and says so", arguments: StoreKind.all)
    func full(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            var options = scope.options
            options.queuedPerSession = 2
            options.queuedInAll = 3
            let store = try kind.open(scope.path, options)
            _ = try await store.enqueue(request("a", key: "known"))
            for session in ["a", "b"] { _ = try await store.enqueue(request(session)) }
            let session = SessionID(rawValue: "a")
            for (key, scope) in [("new", ""), (nil, ""), ("known", "another's")] {
                await #expect(throws: StoreError.queueFull(.session(session), limit: 2)) {
                    try await store.checkRoom(for: nil, session, repeating: key, in: scope)
                }
            }
            await #expect(throws: StoreError.queueFull(.all, limit: 3)) {
                try await store.checkRoom(for: nil, nil, repeating: "new", in: "")
            }
            for session in [session, nil] {
                try await store.checkRoom(for: nil, session, repeating: "known", in: "")
            }
            await #expect(throws: StoreError.queueFull(.session(session), limit: 2)) {
                try await store.enqueue(request("a"))
            }
            await #expect(throws: StoreError.queueFull(.all, limit: 3)) {
                try await store.enqueue(request("c"))
            }
            #expect(StoreError.queueFull(.all, limit: 3).failure.code == .queueFull)
            _ = try #require(try await store.lease(to: .first))
            _ = try await store.enqueue(request("c"))
        }
    }

    @Test("many workers at once never get the same build", arguments: StoreKind.all)
    func exclusive(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let stores = [try scope.open(), try scope.open()]
            for index in 0..<10 { _ = try await stores[0].enqueue(request("s\(index)")) }
            let leased = try await withThrowingTaskGroup(of: BuildID?.self) { group in
                for index in 0..<30 {
                    group.addTask {
                        try await stores[index % 2].lease(to: WorkerID(rawValue: "w\(index)"))?.build.id
                    }
                }
                return try await group.reduce(into: [BuildID]()) { ids, id in if let id { ids.append(id) } }
            }
            #expect(leased.count == 10 && Set(leased).count == 10)
        }
    }

    @Test("a build that is accepted with its lease is nobody else's", arguments: StoreKind.all)
    func acceptedLeased(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request("cli"), to: .first)
            #expect(lease.build.state == .preparing && lease.number == 1)
            #expect(try await store.lease(to: .second) == nil)
            #expect(try await store.attempts(lease.build.id) == [lease.attempt])
        }
    }

    @Test("lists are filtered, paged, newest first", arguments: StoreKind.all)
    func lists(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            var ids: [BuildID] = []
            for index in 0..<7 { ids.append(try await store.enqueue(request("s\(index % 2)")).id) }
            let newest: [BuildID] = ids.reversed()
            let page = try await store.builds(BuildFilter(limit: 3))
            #expect(page.map(\.id) == Array(newest[..<3]))
            let next = try await store.builds(BuildFilter(before: page.last?.id, limit: 200))
            #expect(next.map(\.id) == Array(newest[3...]))
            let mine = try await store.builds(BuildFilter(session: SessionID(rawValue: "s1")))
            #expect(mine.map(\.id) == [ids[5], ids[3], ids[1]])
            _ = try await store.lease(to: .first)
            let states: Set<BuildState> = [.preparing, .running]
            #expect(try await store.builds(BuildFilter(states: states)).map(\.id) == [ids[0]])
            let other = ProjectName(rawValue: "other")
            #expect(try await store.builds(BuildFilter(project: other, states: states)).isEmpty)
            #expect(try await store.builds(BuildFilter(limit: -5)).count == 1)
            let unknown = BuildID(rawValue: "b_x")
            await #expect(throws: StoreError.noSuchBuild(unknown)) {
                try await store.builds(BuildFilter(before: unknown))
            }
        }
    }

    @Test("followers see every change once, in order", arguments: StoreKind.all)
    func changes(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let first = try await store.enqueue(request("a"))
            let second = try await store.enqueue(request("b"))
            #expect(try await store.changes(after: 0, limit: 10).map(\.id) == [first.id, second.id])
            #expect(try await store.changes(after: 0, limit: 1).map(\.id) == [first.id])
            #expect(try await store.changes(after: second.revision, limit: 10).isEmpty)
            let lease = try #require(try await store.lease(to: .first))
            let changed = try await store.changes(after: second.revision, limit: 10)
            #expect(changed.map(\.id) == [lease.build.id] && changed[0].revision > second.revision)
        }
    }

    @Test("the bell wakes followers in other processes", arguments: StoreKind.all)
    func bell(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (here, there) = (try scope.open(), try scope.open())
            var bell = try there.changeBell().makeAsyncIterator()
            await bell.next()
            let build = try await here.enqueue(request())
            var seen = try await there.changes(after: 0, limit: 1)
            while seen.isEmpty {
                await bell.next()
                seen = try await there.changes(after: 0, limit: 1)
            }
            #expect(seen == [build])
        }
    }

    @Test(
        "a queue of many sessions gives each build out once, and tells of each change",
        arguments: StoreKind.all
    )
    func manyBuilds(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            for index in 0..<600 { _ = try await store.enqueue(request("s\(index % 50)")) }
            #expect(try await store.builds(BuildFilter(limit: 200)).count == 200)
            var seen: Set<BuildID> = []
            for _ in 0..<100 {
                let lease = try #require(try await store.lease(to: .first))
                #expect(seen.insert(lease.build.id).inserted)
                let outcome = Outcome(Failure(.stepFailed, .user, "m"))
                try await store.finish(lease, outcome, artifacts: [], preview: nil)
            }
            #expect(try await store.changes(after: 0, limit: 20_000).count == 600)
        }
    }
}
