// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Foundation
import Testing

@testable import DrydockStore

@Suite("Making the index again", .timeLimit(.minutes(1)))
struct RebuildTests {
    private static func queued(_ scope: StoreScope, archive: Digest? = nil) -> Queued {
        Queued(
            session: SessionID(rawValue: "s"),
            project: ProjectName(rawValue: "p"),
            title: "t",
            trigger: .api,
            archive: archive,
            directory: RelativePath(rawValue: "a/b") ?? .top,
            parameters: (try? BuildParameters(pairs: ["target=x"])) ?? BuildParameters(),
            createdAt: scope.clock.wall
        )
    }

    /// A build that succeeded with so many artifacts, and a log before and after them.
    static func longBuild(
        _ store: EmbeddedStore,
        artifacts: Int,
        isCounted: Bool = true
    ) async throws -> Lease {
        let lease = try await store.enqueueLeased(request("long"), to: .first)
        let journal = try await store.journal(lease)
        let request = lease.build.request
        let queued = Queued(
            session: request.session,
            project: request.project,
            title: request.title,
            trigger: .api,
            createdAt: lease.build.createdAt
        )
        let digest = try store.keep("content".utf8)
        let made = (0..<artifacts).map { number in
            Artifact(
                path: "f\(10_000 + number)",
                digest: digest,
                size: ByteCount(7),
                role: .other,
                executable: false
            )
        }
        let lines = (0..<200).map { logLine("line \($0) " + String(repeating: "x", count: 1_000)) }
        let end = Finished(outcome: .succeeded, duration: .zero, artifacts: isCounted ? artifacts : nil)
        try journal.append([.queued(queued)] + lines + made.map(Event.artifact), via: .host, step: nil)
        try journal.append([logLine("links passed over"), .finished(end)], via: .host, step: nil)
        try journal.close()
        try await DrydockStoreTests.end(store, lease, artifacts: made)
        return lease
    }

    private func lose(_ scope: StoreScope) throws {
        // Only the file itself, as a person would: its write-ahead log must not haunt the new one.
        try FileManager.default.removeItem(atPath: scope.path.appending("db.sqlite").string)
    }

    private func reading(_ build: BuildID, _ store: EmbeddedStore) throws -> BuildRows.JournalReading? {
        try store.database.readNow { try BuildRows.reading(of: build, $0) }
    }

    @Test(
        "a long journal is read at its ends; where that is not all, the rest is read when somebody asks",
        arguments: [(3, true, true), (3_000, true, false), (3, false, false)]
    )
    func ends(artifacts: Int, isCounted: Bool, isEnough: Bool) async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await Self.longBuild(first, artifacts: artifacts, isCounted: isCounted)
            let made = try await first.artifacts(lease.build.id)
            try first.close()
            try lose(scope)
            let second = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try reading(lease.build.id, second) == (isEnough ? .whole : .ends))
            #expect(try await second.build(lease.build.id)?.state == .succeeded)
            #expect(try await second.artifact(lease.build.id, made[0].path) == made[0])
            #expect(try await second.artifacts(lease.build.id) == made)
            #expect(try reading(lease.build.id, second) == .whole)
        }
    }

    @Test("an archive that was uploaded is known again, and the build can be repeated")
    func archive() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let archive = try first.keep("archive".utf8)
            let lease = try await first.enqueueLeased(request(), to: .first)
            let queued = Event.queued(Self.queued(scope, archive: archive))
            try await first.journal(lease).append([queued, finished()], via: .host, step: nil)
            try first.close()
            try lose(scope)
            let second = try EmbeddedStore(opening: scope.path, scope.options)
            let rebuilt = try #require(try await second.build(lease.build.id)?.request)
            #expect(rebuilt.source == .archive(archive) && rebuilt.directory == "a/b")
            #expect(rebuilt.parameters.values == ["target": "x"])
        }
    }

    @Test("a database that was lost is made again from the journals")
    func rebuild() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let done = try await first.enqueueLeased(request(title: "done"), to: .first)
            let lost = try await first.enqueueLeased(request(title: "lost"), to: .first)
            let queued = Self.queued(scope)
            let preview = PreviewReady(deploy: .make(), root: "r", spa: true)
            let events: [Event] = [.artifact(LeaseConformanceTests.artifact), .preview(preview), finished()]
            try await first.journal(done).append([.queued(queued)] + events, via: .host, step: nil)
            try await first.journal(lost).append([.queued(queued)], via: .host, step: nil)
            try first.close()
            try lose(scope)
            let second = try EmbeddedStore(opening: scope.path, scope.options)
            let builds = try await second.builds(BuildFilter())
            #expect(Set(builds.map(\.id)) == [done.build.id, lost.build.id])
            let restored = try #require(try await second.build(done.build.id))
            #expect(restored.state == .succeeded && restored.attempt == done.attempt)
            #expect(restored.request.session.rawValue == "s" && restored.createdAt == queued.createdAt)
            #expect(try await second.artifacts(done.build.id) == [LeaseConformanceTests.artifact])
            #expect(try await second.deploy(preview.deploy)?.build == done.build.id)
            #expect(try await second.build(lost.build.id)?.failure?.code == .lost)
            #expect(try await readAll(second, done).count == 4)
            #expect(try await second.rebuildIndex() == 0)
        }
    }
}
