// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import Testing

@testable import DrydockStore

@Suite("Collecting what is no longer needed", .timeLimit(.minutes(1)))
struct GarbageTests {
    /// A build that made a file of this content, and the blob's digest.
    private func made(
        _ content: String,
        session: String = "s",
        _ store: EmbeddedStore
    ) async throws -> (lease: Lease, artifact: Artifact) {
        let lease = try await store.enqueueLeased(request(session), to: .first)
        let journal = try await store.journal(lease)
        let artifact = Artifact(
            path: "d/\(content)",
            digest: try store.keep(content.utf8),
            size: ByteCount(Int64(content.utf8.count)),
            role: .other,
            executable: false
        )
        let queued = Queued(
            session: lease.build.request.session,
            project: lease.build.request.project,
            title: "t",
            trigger: .api,
            createdAt: lease.build.createdAt
        )
        let last = Event.finished(Finished(outcome: .succeeded, duration: .zero, artifacts: 1))
        try journal.append([.queued(queued), .artifact(artifact), last], via: .host, step: nil)
        try journal.close()
        try await end(store, lease, artifacts: [artifact])
        return (lease, artifact)
    }

    private func isThere(_ artifact: Artifact, _ store: EmbeddedStore) async throws -> Bool {
        try await store.blob(artifact.digest) != nil
    }

    /// Moves the clock to two days after the files were made.
    private func wait(_ scope: StoreScope) {
        scope.clock.advanceWall(by: Timestamp.now().since(scope.clock.wall) + .seconds(2 * 24 * 3_600))
    }

    private func keepingOne() -> Retention {
        var retention = Retention()
        retention.builds = 1
        return retention
    }

    @Test("what retention lets go is gone with all that was only its own; a trial takes nothing")
    func removed() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let old = try await made("own", store)
            let older = try await made("shared", store)
            let newest = try await made("shared", store)
            wait(scope)
            let trial = try #require(try await store.collectGarbage(keepingOne(), isTrial: true))
            #expect(trial.builds == [old.lease.build.id, older.lease.build.id] && trial.blobs == 1)
            #expect(try await store.builds(BuildFilter()).count == 3)
            #expect(try await isThere(old.artifact, store))

            let report = try #require(try await store.collectGarbage(keepingOne(), isTrial: false))
            #expect(report == trial && report.size.bytes > 3)
            #expect(try await store.builds(BuildFilter()).map(\.id) == [newest.lease.build.id])
            #expect(try await !isThere(old.artifact, store))
            #expect(try await isThere(newest.artifact, store))
            #expect(try await store.artifacts(newest.lease.build.id) == [newest.artifact])
            let journals = try FileManager.default.contentsOfDirectory(
                atPath: store.directory.segments.string
            )
            #expect(journals == [newest.lease.build.id.rawValue])
            await #expect(throws: StoreError.noSuchBuild(old.lease.build.id)) {
                try await store.attempts(old.lease.build.id)
            }
            // Nothing is left to take.
            #expect(try await store.collectGarbage(keepingOne(), isTrial: false) == GarbageReport())
        }
    }

    @Test("a blob that nobody refers to goes, but not while it is young, nor while a build may yet name it")
    func youngBlobs() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let nobodys = try store.keep("nobody's".utf8)
            var wish = request()
            wish.source = .archive(try store.keep("a source".utf8))
            let build = try await store.enqueue(wish)
            scope.clock.advanceWall(by: Timestamp.now().since(scope.clock.wall))
            #expect(try await store.collectGarbage(Retention(), isTrial: false)?.blobs == 0)
            #expect(try await store.blob(nobodys) != nil)
            wait(scope)
            #expect(try await store.collectGarbage(Retention(), isTrial: false)?.blobs == 1)
            #expect(try await store.blob(nobodys) == nil)
            #expect(try await store.blob(wish.source.archive ?? Digest(rawValue: "")) != nil)
            #expect(try await store.build(build.id) != nil)
        }
    }

    @Test("a build under a lease stays, and one whose worker has ended is settled first")
    func leased() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            var retention = Retention()
            retention.age = .seconds(1)
            let lease = try await store.enqueueLeased(request("a"), to: .first)
            try await store.journal(lease).append([logLine("x")], via: .host, step: nil)
            scope.clock.advanceWall(by: .seconds(5))
            let other = try await made("newest", session: "b", store)
            #expect(try await store.collectGarbage(retention, isTrial: false)?.builds == [])
            wait(scope)
            #expect(try await store.collectGarbage(retention, isTrial: false)?.builds == [])
            #expect(try await store.build(lease.build.id)?.state == .queued, "its lease has lapsed")
            #expect(try await isThere(other.artifact, store))
        }
    }

    @Test("after the database was lost: rebuilt, collected, and every artifact opens")
    func rebuilt() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let builds = [try await made("a", store: first), try await made("b", store: first)]
            let long = try await RebuildTests.longBuild(first, artifacts: 3_000)
            try first.close()
            try FileManager.default.removeItem(atPath: scope.path.appending("db.sqlite").string)

            let second = try EmbeddedStore(opening: scope.path, scope.options)
            wait(scope)
            let report = try #require(try await second.collectGarbage(Retention(), isTrial: false))
            #expect(report.blobs == 0 && report.builds.isEmpty && report.unreadable.isEmpty)
            for (lease, artifact) in builds {
                #expect(try await second.artifacts(lease.build.id) == [artifact])
                #expect(try await isThere(artifact, second))
            }
            let artifacts = try await second.artifacts(long.build.id)
            #expect(artifacts.count == 3_000)
            for artifact in artifacts { #expect(try await isThere(artifact, second)) }
        }
    }

    private func made(_ content: String, store: EmbeddedStore) async throws -> (Lease, Artifact) {
        let made = try await made(content, session: content, store)
        return (made.lease, made.artifact)
    }

    @Test("as long as a journal can not be read to its end, no blob goes")
    func unreadable() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let (lease, artifact) = try await made("a", store: first)
            let nobodys = try first.keep("nobody's".utf8)
            let segment = first.directory.segment(lease.build.id, lease.attempt).string
            try first.close()
            let lines = try String(contentsOfFile: segment, encoding: .utf8).split(separator: "\n")
            let damaged = [lines[0], "\0\0\0", lines[2]].joined(separator: "\n") + "\n"
            try damaged.write(toFile: segment, atomically: true, encoding: .utf8)
            try FileManager.default.removeItem(atPath: scope.path.appending("db.sqlite").string)

            let second = try EmbeddedStore(opening: scope.path, scope.options)
            wait(scope)
            var retention = Retention()
            retention.age = .seconds(1)
            let report = try #require(try await second.collectGarbage(retention, isTrial: false))
            #expect(report.unreadable == [lease.build.id] && report.blobs == 0 && report.builds.isEmpty)
            #expect(try await isThere(artifact, second))
            #expect(try await second.blob(nobodys) != nil)
            // Until somebody lets it go by name.
            let none = BuildID(rawValue: "none")
            retention.forgotten = [lease.build.id, none]
            await #expect(throws: StoreError.notDamaged(none)) {
                try await second.collectGarbage(retention, isTrial: false)
            }
            #expect(try await second.build(lease.build.id) != nil)
            retention.forgotten = [lease.build.id]
            let after = try #require(try await second.collectGarbage(retention, isTrial: false))
            #expect(after.builds == [lease.build.id] && after.blobs == 2 && after.unreadable.isEmpty)
            #expect(try await second.build(lease.build.id) == nil)
        }
    }

    @Test("two do not collect at one time")
    func alone() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lock = try #require(try LivenessLock.take(store.directory.garbageLock))
            #expect(try await store.collectGarbage(Retention(), isTrial: false) == nil)
            withExtendedLifetime(lock) {}
        }
    }

    @Test("builds are counted as they stand, and the one that waits longest is known")
    func counts() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try await store.counts() == StoreCounts(builds: [:], oldestQueued: nil, revision: 0))
            _ = try await made("a", store)
            _ = try await store.enqueueLeased(request("b"), to: .first)
            let oldest = try await store.enqueue(request("c"))
            scope.clock.advanceWall(by: .seconds(9))
            let newest = try await store.enqueue(request("d"))
            let counts = try await store.counts()
            #expect(counts.builds == [.succeeded: 1, .preparing: 1, .queued: 2])
            #expect(counts.oldestQueued == oldest.createdAt && counts.revision == newest.revision)
        }
    }
}
