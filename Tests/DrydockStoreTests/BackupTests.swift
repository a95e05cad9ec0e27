// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("Backup", .timeLimit(.minutes(1)))
struct BackupTests {
    /// A build that made a file of its own.
    private func made(_ content: String, _ store: EmbeddedStore) async throws -> (BuildID, Artifact) {
        let lease = try await store.enqueueLeased(request(content), to: .first)
        let journal = try await store.journal(lease)
        let artifact = Artifact(
            path: content,
            digest: try store.keep(content.utf8),
            size: ByteCount(Int64(content.utf8.count)),
            role: .other,
            executable: false
        )
        try journal.append([.artifact(artifact), finished()], via: .host, step: nil)
        try journal.close()
        try await end(store, lease, artifacts: [artifact])
        return (lease.build.id, artifact)
    }

    @Test(
        "a copy that was made while builds came and ended is a store in which everything that it knows is there"
    )
    func whileBuildsRun() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path.appending("data"), scope.options)
            let target = scope.path.appending("backups/one")
            let (early, artifact) = try await made("early", store)
            let running = try await store.enqueueLeased(request("running"), to: .second)
            try await store.journal(running).append([logLine("x")], via: .host, step: nil)
            try await store.addToken(
                AccessToken(
                    name: TokenName(unchecked: "ci"),
                    digest: artifact.digest,
                    scopes: [.read],
                    createdAt: scope.clock.wall
                )
            )
            let report = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for number in 0..<40 { _ = try await made("made-\(number)", store) } }
                let report = try #require(try await store.backUp(to: target))
                try await group.waitForAll()
                return report
            }
            #expect(report.journals >= 2 && report.blobs >= 1)

            let copy = try EmbeddedStore(opening: target, scope.options)
            _ = try await copy.reap()
            let builds = try await copy.builds(BuildFilter(limit: 200))
            #expect(builds.count >= 2 && builds.allSatisfy { $0.damage == nil })
            #expect(try await copy.build(running.build.id)?.state == .queued, "its worker is not there")
            #expect(try await copy.tokens().map(\.name.rawValue) == ["ci"])
            #expect(try await copy.artifacts(early) == [artifact])
            for build in builds {
                for artifact in try await copy.artifacts(build.id) {
                    #expect(try await copy.blob(artifact.digest) != nil, "\(artifact.path)")
                }
                for attempt in try await copy.attempts(build.id) where build.state.isTerminal {
                    let reader = try await copy.reader(build.id, attempt, after: 0)
                    var last: UInt64 = 0
                    while let lines = try await reader.next(maxBytes: 1 << 20) {
                        last = lines.last?.seq ?? last
                    }
                    #expect(last == 2, "\(build.id)")
                }
            }
            // What goes on in one is not seen in the other.
            _ = try await made("late", copy)
            #expect(try await store.builds(BuildFilter(limit: 200)).count == 42)
            try copy.close()
        }
    }

    @Test("only its owner can read it, and nothing half-made is in it")
    func shape() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path.appending("data"), scope.options)
            _ = try await made("x", store)
            let target = scope.path.appending("copy")
            try FileManager.default.createDirectory(atPath: target.string, withIntermediateDirectories: true)
            _ = try #require(try await store.backUp(to: target))
            let names = try FileManager.default.contentsOfDirectory(atPath: target.string).sorted()
            #expect(names == ["blobs", "db.sqlite", "segments"])
            #expect(try fileStatus(at: target).permissions == 0o700)
            #expect(try fileStatus(at: target.appending("db.sqlite")).permissions == 0o600)
        }
    }

    @Test("a directory with anything in it is left as it is, and so is the data directory itself")
    func targets() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path.appending("data"), scope.options)
            let other = scope.path.appending("other")
            try FileManager.default.createDirectory(atPath: other.string, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(fileURLWithPath: other.appending("mine").string))
            await #expect(throws: StoreError.notEmpty(other, example: "mine")) {
                try await store.backUp(to: other)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: other.string) == ["mine"])
            for inside in ["data/work", "data/new"].map({ scope.path.appending($0) }) {
                await #expect(throws: StoreError.insideItself(inside)) { try await store.backUp(to: inside) }
            }
            #expect(!FileManager.default.fileExists(atPath: scope.path.appending("data/new").string))
            #expect(FileManager.default.fileExists(atPath: scope.path.appending("data/work").string))
        }
    }

    @Test("nothing is collected while a backup is made, and none is made while something is")
    func exclusive() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path.appending("data"), scope.options)
            let lock = try #require(try LivenessLock.take(store.directory.garbageLock))
            let target = scope.path.appending("copy")
            #expect(try await store.backUp(to: target) == nil)
            #expect(!FileManager.default.fileExists(atPath: target.string))
            withExtendedLifetime(lock) {}
        }
    }

    @Test("what fails leaves nothing that could be taken for a backup")
    func failure() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path.appending("data"), scope.options)
            _ = try await made("x", store)
            let target = scope.path.appending("copy")
            try await scope.onSmallDisk(at: target, size: "16k") {
                await #expect(throws: StoreError.self) { try await store.backUp(to: target) }
                let left = try FileManager.default.contentsOfDirectory(atPath: target.string)
                #expect(left.isEmpty)
            }
            #expect(try await store.backUp(to: target) != nil)
        }
    }
}
