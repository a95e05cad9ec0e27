// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import Testing

@Suite("Conformance: leases and mailbox", .timeLimit(.minutes(1)))
struct LeaseConformanceTests {
    static let artifact = Artifact(
        path: "bin/hello",
        digest: Digest(rawValue: "sha256:" + String(repeating: "a", count: 64)),
        size: ByteCount(5),
        role: .binary,
        executable: true
    )

    @Test("a build ends with its artifacts and its deploy, all at once", arguments: StoreKind.all)
    func finish(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let preview = PreviewReady(deploy: .make(), root: "site", spa: true)
            scope.clock.advance(by: .seconds(3))
            try await end(store, lease, artifacts: [Self.artifact], preview: preview)
            let build = try #require(try await store.build(lease.build.id))
            #expect(build.state == .succeeded && build.finishedAt == scope.clock.wall && build.failure == nil)
            #expect(build.deploy == preview.deploy)
            #expect(try await store.artifacts(build.id) == [Self.artifact])
            let deploy = Deploy(id: preview.deploy, build: build.id, preview: preview)
            #expect(try await store.deploy(preview.deploy) == deploy)
            #expect(try await store.deploy(DeployID(rawValue: "nobody")) == nil)
            // Told again, as after a lost answer, it changes nothing.
            try await store.finish(lease, .succeeded, artifacts: [], preview: nil)
            #expect(try await store.build(build.id) == build)
        }
    }

    @Test("illegal moves are refused", arguments: StoreKind.all)
    func illegalMoves(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            for state in [BuildState.preparing, .finishing, .succeeded, .failed, .superseded] {
                await #expect(throws: StoreError.self, "\(state)") { try await store.move(lease, to: state) }
            }
            await #expect(throws: StoreError.illegalMove(lease.build.id, from: .preparing, to: .succeeded)) {
                try await store.finish(lease, .succeeded, artifacts: [Self.artifact], preview: nil)
            }
            #expect(try await store.artifacts(lease.build.id).isEmpty)
            #expect(try await store.build(lease.build.id)?.state == .preparing)
        }
    }

    @Test("a failure can end a build from every state it is worked on in", arguments: StoreKind.all)
    func failures(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let failure = Failure(.stepFailed, .user, "make exited with 2", hint: "h", file: "a.c", line: 3)
            let steps: [[BuildState]] = [[], [.running], [.running, .finishing]]
            for states in steps {
                let lease = try await store.enqueueLeased(request(), to: .first)
                for state in states { try await store.move(lease, to: state) }
                try await store.finish(lease, Outcome(failure), artifacts: [], preview: nil)
                let build = try await store.build(lease.build.id)
                #expect(build?.state == .failed && build?.failure == failure)
            }
        }
    }

    @Test(
        "a heartbeat keeps a lease; without one the build is tried once more, then lost",
        arguments: StoreKind.all
    )
    func lapse(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let first = try await store.enqueueLeased(request(), to: .first)
            for _ in 0..<3 {
                scope.clock.advance(by: .seconds(20))
                #expect(try await store.renew(first))
                #expect(try await store.reap().isEmpty)
            }
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().map(\.state) == [.queued])
            #expect(try await store.renew(first) == false)
            let second = try #require(try await store.lease(to: .second))
            #expect(second.build.id == first.build.id && second.number == 2)
            #expect(try await store.attempts(first.build.id) == [first.attempt, second.attempt])
            scope.clock.advance(by: .seconds(31))
            let ended = try await store.reap()
            #expect(ended.map(\.state) == [.errored] && ended.first?.failure?.code == .lost)
            #expect(try await store.lease(to: .first) == nil)
        }
    }

    @Test("a worker whose lease was taken can change nothing any more", arguments: StoreKind.all)
    func fenced(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let stale = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(stale)
            try journal.append([logLine("before")], via: .host, step: nil)
            scope.clock.advance(by: .seconds(31))
            _ = try await store.reap()
            let lease = try #require(try await store.lease(to: .first))
            let lost = StoreError.leaseLost(stale.build.id, stale.attempt)
            await #expect(throws: lost) { try await store.move(stale, to: .running) }
            await #expect(throws: lost) {
                try await store.finish(stale, .succeeded, artifacts: [], preview: nil)
            }
            #expect(try await store.renew(stale) == false)
            #expect(throws: lost) { try journal.append([logLine("after")], via: .host, step: nil) }
            try await store.move(lease, to: .running)
        }
    }

    @Test(
        "a journal that ended decides, even when its worker died before it said so",
        arguments: StoreKind.all
    )
    func journalDecides(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            let preview = PreviewReady(deploy: .make(), root: "", spa: false)
            let journal = try await store.journal(lease)
            try journal.append(
                [.artifact(Self.artifact), .preview(preview), finished()],
                via: .host,
                step: nil
            )
            try journal.close()
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().map(\.state) == [.succeeded])
            #expect(try await store.artifacts(lease.build.id) == [Self.artifact])
            #expect(try await store.deploy(preview.deploy)?.build == lease.build.id)
        }
    }

    // MARK: Mailbox

    @Test("what still waits is cancelled at once", arguments: StoreKind.all)
    func cancelQueued(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let build = try await store.enqueue(request())
            #expect(try await store.requestCancel(build.id, by: "alice", reason: "typo") == .cancelled)
            let ended = try #require(try await store.build(build.id))
            #expect(ended.state == .cancelled && ended.finishedAt == scope.clock.wall)
            #expect(ended.failure?.message == "cancelled by alice: typo")
            #expect(try await store.requestCancel(build.id, by: "a", reason: "") == .alreadyFinished)
            let unknown = BuildID(rawValue: "b_x")
            #expect(try await store.requestCancel(unknown, by: "a", reason: "") == .noSuchBuild)
            #expect(try await store.lease(to: .first) == nil)
        }
    }

    @Test("a worker hears of a cancel, whether it listened before or after", arguments: StoreKind.all)
    func cancelRunning(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let (server, worker) = (try scope.open(), try scope.open())
            let lease = try await worker.enqueueLeased(request(), to: .first)
            var early = try await worker.cancelRequests(lease).makeAsyncIterator()
            #expect(try await server.requestCancel(lease.build.id, by: "api", reason: "r") == .requested)
            #expect(try await server.requestCancel(lease.build.id, by: "again", reason: "r") == .requested)
            #expect(await early.next() == CancelRequest(by: "api", reason: "r"))
            var late = try await worker.cancelRequests(lease).makeAsyncIterator()
            #expect(await late.next() == CancelRequest(by: "api", reason: "r"))
        }
    }

    @Test("a cancelled build whose worker dies is cancelled, not tried again", arguments: StoreKind.all)
    func cancelAndLapse(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let lease = try await store.enqueueLeased(request(), to: .first)
            _ = try await store.requestCancel(lease.build.id, by: "api", reason: "")
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().map(\.state) == [.cancelled])
        }
    }
}
