// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Foundation
import GRDB
import Synchronization
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("Making the index again of what is not whole", .timeLimit(.minutes(1)))
struct RebuildDamageTests {
    /// A build that made one file, and says that it made `counted`; without an end when `counted` is nil.
    private func made(_ store: EmbeddedStore, counted: Int? = 1) async throws -> (Lease, Artifact) {
        let lease = try await store.enqueueLeased(request(), to: .first)
        let artifact = Artifact(
            path: "d/f",
            digest: try store.keep("content".utf8),
            size: ByteCount(7),
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
        let journal = try await store.journal(lease)
        try journal.append([.queued(queued), .artifact(artifact)], via: .host, step: nil)
        if let counted {
            let last = Finished(outcome: .succeeded, duration: .zero, artifacts: counted)
            try journal.append([.finished(last)], via: .host, step: nil)
        }
        try journal.close()
        try await end(store, lease, artifacts: [artifact])
        return (lease, artifact)
    }

    private func lose(_ scope: StoreScope) throws {
        try FileManager.default.removeItem(atPath: scope.path.appending("db.sqlite").string)
    }

    private func reading(_ build: BuildID, _ store: EmbeddedStore) throws -> BuildRows.JournalReading? {
        try store.database.readNow { try BuildRows.reading(of: build, $0) }
    }

    private func collect(_ store: EmbeddedStore, _ scope: StoreScope) async throws -> GarbageReport {
        scope.clock.advanceWall(by: Timestamp.now().since(scope.clock.wall) + .seconds(2 * 24 * 3_600))
        return try #require(try await store.collectGarbage(Retention(), isTrial: false))
    }

    @Test("a rebuild that was interrupted goes on with the next start")
    func interrupted() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let (lease, artifact) = try await made(first)
            try first.close()
            let files = FileManager.default
            let segments = first.directory.segments.string
            // As many as go in one transaction, all before the build that made something.
            for number in 1_000..<1_500 {
                try files.createDirectory(
                    atPath: "\(segments)/a\(number)",
                    withIntermediateDirectories: false
                )
                try files.copyItem(
                    atPath: first.directory.segment(lease.build.id, lease.attempt).string,
                    toPath: "\(segments)/a\(number)/x\(number).ndjson"
                )
            }
            try files.createDirectory(atPath: segments + "/zz", withIntermediateDirectories: false)
            try files.createSymbolicLink(
                atPath: segments + "/zz/x.ndjson",
                withDestinationPath: "/nowhere"
            )
            try lose(scope)
            #expect(throws: StoreError.self) { try EmbeddedStore(opening: scope.path, scope.options) }
            try files.removeItem(atPath: segments + "/zz")

            let second = try EmbeddedStore(opening: scope.path, scope.options)
            let count = try second.database.readNow {
                try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM builds")
            }
            #expect(count == 501)
            #expect(try await second.artifacts(lease.build.id) == [artifact])
            #expect(try await collect(second, scope).blobs == 0)
        }
    }

    @Test("no collection takes a journal without a row for nothing")
    func halfSeen() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let (lease, artifact) = try await made(store)
            try store.database.writeNow {
                try $0.execute(sql: "DELETE FROM builds; DELETE FROM artifacts; DELETE FROM attempts")
            }
            #expect(try await collect(store, scope).blobs == 0)
            #expect(try await store.artifacts(lease.build.id) == [artifact])
            #expect(try await store.blob(artifact.digest) != nil)
        }
    }

    @Test("a build whose journal does not say what it was is there as a damaged one, and keeps what it made")
    func unnamed() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let (lease, artifact) = try await made(first)
            try first.close()
            let segment = first.directory.segment(lease.build.id, lease.attempt).string
            let lines = try String(contentsOfFile: segment, encoding: .utf8).split(separator: "\n")
            let damaged = (["\0\0\0"] + lines.dropFirst()).joined(separator: "\n") + "\n"
            try damaged.write(toFile: segment, atomically: true, encoding: .utf8)
            try lose(scope)
            let second = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try await second.build(lease.build.id)?.state.isTerminal == true)
            let report = try await collect(second, scope)
            #expect(report.unreadable == [lease.build.id] && report.blobs == 0)
            #expect(try await second.blob(artifact.digest) != nil)
        }
    }

    @Test("a journal that lacks some of what it says it made, or its end, is not whole", arguments: [2, nil])
    func lacking(_ counted: Int?) async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let (lease, artifact) = try await made(first, counted: counted)
            try first.close()
            try lose(scope)
            let second = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try reading(lease.build.id, second) == .damaged)
            #expect(try await collect(second, scope).unreadable == [lease.build.id])
            #expect(try await second.blob(artifact.digest) != nil)
        }
    }

    @Test(
        "a journal that is missing, or shorter than it was, takes nothing from what is known",
        arguments: [true, false]
    )
    func shortened(isMissing: Bool) async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await RebuildTests.longBuild(first, artifacts: 3_000)
            try first.close()
            try lose(scope)
            let second = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try reading(lease.build.id, second) == .ends)
            let segment = first.directory.segment(lease.build.id, lease.attempt).string
            if isMissing {
                try FileManager.default.removeItem(atPath: segment)
            } else {
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: segment))
                try file.truncate(atOffset: 100_000)
                try file.close()
            }
            #expect(try await !second.artifacts(lease.build.id).isEmpty)
            #expect(try reading(lease.build.id, second) == .damaged)
            #expect(try await collect(second, scope).unreadable == [lease.build.id])
        }
    }

    @Test("what is no build's, and no blob's, is passed over and told once")
    func strays() async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            let (lease, artifact) = try await made(first)
            try first.close()
            try lose(scope)
            let files = FileManager.default
            let strays = ["segments/notes.txt", "blobs/sha256/notes.txt"].map { scope.path.appending($0) }
            for stray in strays { #expect(files.createFile(atPath: stray.string, contents: Data([1]))) }
            let told = Mutex<[StoreDamage]>([])
            var options = scope.options
            options.onDamage = { damage in told.withLock { $0.append(damage) } }
            let second = try EmbeddedStore(opening: scope.path, options)
            #expect(try await second.artifacts(lease.build.id) == [artifact])
            for _ in 0..<2 { #expect(try await collect(second, scope).unreadable == []) }
            let target = scope.path.removingLastComponent().appending(UUID().uuidString)
            defer { try? files.removeItem(atPath: target.string) }
            #expect(try await second.backUp(to: target)?.blobs == 1)
            #expect(Set(told.withLock { $0.map(\.description) }).count == 2)
            #expect(told.withLock { $0.count } == 2)
        }
    }
}
