// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import GRDB
import Testing

@testable import DrydockStore

/// Who ended a build stands in its row: its failure does not tell, since anybody's may be the same.
@Suite("Who ended a build")
struct BuildEndTests {
    private func author(_ store: EmbeddedStore, _ build: BuildID) async throws -> BuildEnd.Author? {
        try await store.database.read { try BuildRows.author(ofEnd: build, $0) }
    }

    /// Cuts the last record off the attempt's journal.
    private func cutEnd(_ store: EmbeddedStore, _ lease: Lease) throws {
        let path = store.directory.segment(lease.build.id, lease.attempt).string
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropLast()
        try lines.map { $0 + "\n" }.joined().write(toFile: path, atomically: false, encoding: .utf8)
    }

    @Test(
        "a worker's own end that is gone from the journal is missed, whatever its failure is called",
        arguments: [FailureCode.cancelled, .lost, .internal]
    )
    func worker(code: FailureCode) async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let outcome = Outcome(Failure(code, .platform, "m"))
            try await store.journal(lease).append([logLine("1"), finished(outcome)], via: .host, step: nil)
            try await store.finish(lease, outcome, artifacts: [], preview: nil)
            #expect(try await author(store, lease.build.id) == .worker)
            #expect(try await readAll(store, lease).map(\.event) == [logLine("1"), finished(outcome)])
            try cutEnd(store, lease)
            let records = try await readAll(store, lease)
            guard records.count == 2, case .gap = records[1].event else {
                Issue.record("the loss is not told: \(records)")
                return
            }
        }
    }

    @Test("a build whose worker was lost is the reaper's, and its journal need not have an end")
    func reaper() async throws {
        try await StoreScope.run { scope in
            var options = scope.options
            options.attempts = 1
            let store = try EmbeddedStore(opening: scope.path, options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            try await store.journal(lease).append([logLine("1")], via: .host, step: nil)
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().map(\.state) == [.errored])
            #expect(try await author(store, lease.build.id) == .reaper)
            // As when the reaper died between the row and the journal.
            try cutEnd(store, lease)
            #expect(try await readAll(store, lease).map(\.event) == [logLine("1")])
        }
    }

    @Test("a worker that died behind its last record had ended the build, and that is missed when it is gone")
    func journal() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            let outcome = Outcome(Failure(.cancelled, .user, "m"))
            try await store.journal(lease).append([logLine("1"), finished(outcome)], via: .host, step: nil)
            scope.clock.advance(by: .seconds(31))
            #expect(try await store.reap().map(\.state) == [.cancelled])
            #expect(try await author(store, lease.build.id) == .journal)
            try cutEnd(store, lease)
            #expect(try await readAll(store, lease).count == 2)
        }
    }

    @Test(
        "a build that is cancelled while it waits is the queue's, also behind an attempt that was given back"
    )
    func queue() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let lease = try await store.enqueueLeased(request(), to: .first)
            #expect(try await author(store, lease.build.id) == nil)
            try await store.journal(lease).append([logLine("1")], via: .host, step: nil)
            try await store.move(lease, to: .queued)
            _ = try await store.requestCancel(lease.build.id, by: "t", reason: "")
            #expect(try await author(store, lease.build.id) == .queue)
            #expect(try await readAll(store, lease).map(\.event) == [logLine("1")])
        }
    }

    @Test("of a database from before it is the worker, but where the failure could be anybody's")
    func migrated() async throws {
        try await StoreScope.run { scope in
            let directory = try DataDirectory(opening: scope.path)
            let old = try DatabaseQueue(path: directory.database.string)
            try Schema.migrator.migrate(old, upTo: "6-rebuilding")
            let codes: [FailureCode?] = [nil, .internal, .lost, .cancelled]
            try await old.write { db in
                // As that version wrote them.
                let sql = """
                    INSERT INTO builds
                        (id, session, project, state, request, attempts, created_at, finished_at, failure, revision)
                    VALUES (?, 's', 'p', ?, ?, 0, 0, ?, ?, 0)
                    """
                let request = try JSONEncoder().encode(request())
                for (number, code) in codes.enumerated() {
                    let failure = try code.map { try JSONEncoder().encode(Failure($0, .platform, "m")) }
                    let state: BuildState = code == nil ? .succeeded : .errored
                    try db.execute(sql: sql, arguments: ["b_\(number)", state.rawValue, request, 1, failure])
                }
                try db.execute(sql: sql, arguments: ["b_4", BuildState.queued.rawValue, request, nil, nil])
            }
            try old.close()
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            var authors: [BuildEnd.Author?] = []
            for number in 0...4 {
                authors.append(try await author(store, BuildID(rawValue: "b_\(number)")))
            }
            #expect(authors == [.worker, .worker, nil, nil, nil])
            try store.close()
        }
    }
}
