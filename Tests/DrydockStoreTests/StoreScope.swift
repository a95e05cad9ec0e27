// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockStore

/// A kind of store that must pass the conformance suite.
struct StoreKind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Opens the store that lives in the directory; opened twice, both see the same builds.
    let open: @Sendable (FilePath, EmbeddedStore.Options) throws -> any Store

    static let all = [
        StoreKind(testDescription: "embedded") { try EmbeddedStore(opening: $0, $1) }
    ]
}

/// A directory of its own for one test, and the stores in it.
struct StoreScope: Sendable {
    let kind: StoreKind
    let path: FilePath
    let clock = ManualClock()

    /// Options with the test's clock, and without waiting for disks.
    var options: EmbeddedStore.Options {
        var options = EmbeddedStore.Options()
        options.durability = .relaxed
        options.now = { [clock] in clock.wall }
        return options
    }

    func open() throws -> any Store { try kind.open(path, options) }

    /// Names of the files that have no digest yet.
    func unnamedBlobs() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path.appending("blobs/new").string)
    }

    /// Runs `body` with a disk of its own at `disk`, a tmpfs of `size` bytes; where none can be mounted, not at all.
    func onSmallDisk(at disk: FilePath, size: String, _ body: () async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: disk.string, withIntermediateDirectories: true)
        guard mount("tmpfs", disk.string, "tmpfs", 0, "size=\(size),mode=0700") == 0 else {
            let mustWork = ProcessInfo.processInfo.environment["DRYDOCK_SANDBOX_MUST_WORK"] == "1"
            if mustWork { Issue.record("mounting a small tmpfs failed with errno \(errno)") }
            return
        }
        defer { umount2(disk.string, Int32(MNT_DETACH)) }
        try await body()
    }

    /// Runs `body` with an empty directory, which is gone afterwards.
    static func run(
        _ kind: StoreKind = StoreKind.all[0],
        _ body: (StoreScope) async throws -> Void
    ) async throws {
        let name = "drydock-store-" + UUID().uuidString
        let path = FilePath(FileManager.default.temporaryDirectory.path).appending(name)
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        try await body(StoreScope(kind: kind, path: path))
    }
}

func request(
    _ session: String = "s",
    key: String? = nil,
    title: String = "hello.tar.gz",
    body: Digest = Digest(rawValue: "sha256:1"),
    submitter: Digest? = nil
) -> BuildRequest {
    BuildRequest(
        session: SessionID(rawValue: session),
        project: ProjectName(rawValue: "p"),
        source: .path("/src"),
        trigger: .api,
        title: title,
        idempotency: key.map { Idempotency(scope: "", key: $0, body: body) },
        submitter: submitter
    )
}

extension WorkerID {
    static let first = WorkerID(rawValue: "w1")
    static let second = WorkerID(rawValue: "w2")
}

func logLine(_ text: String) -> Event { .log(LogLine(stream: .out, text: text)) }

func finished(_ outcome: Outcome = .succeeded) -> Event {
    .finished(Finished(outcome: outcome, duration: .milliseconds(5)))
}

/// Everything up to the end of the journal.
func readAll(_ store: any Store, _ lease: Lease, after seq: UInt64 = 0) async throws -> [JournalRecord] {
    var records: [JournalRecord] = []
    for try await batch in try await store.follow(lease.build.id, lease.attempt, after: seq) {
        for line in batch {
            let record = try #require(try JournalCodec.decode(line.bytes))
            #expect(record.seq == line.seq)
            records.append(record)
        }
    }
    return records
}

/// Takes a leased build through all its states to `outcome`.
func end(
    _ store: any Store,
    _ lease: Lease,
    _ outcome: Outcome = .succeeded,
    artifacts: [Artifact] = [],
    preview: PreviewReady? = nil
) async throws {
    try await store.move(lease, to: .running)
    try await store.move(lease, to: .finishing)
    try await store.finish(lease, outcome, artifacts: artifacts, preview: preview)
}
