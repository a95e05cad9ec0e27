// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import GRDB
import Glibc
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("Data directory", .timeLimit(.minutes(1)))
struct DataDirectoryTests {
    @Test("it is made with its parents, for its owner alone")
    func made() async throws {
        try await StoreScope.run { scope in
            let path = scope.path.appending("deep/er")
            let directory = try DataDirectory(opening: path)
            for part in [path, directory.segments, directory.work, directory.bells] {
                let attributes = try FileManager.default.attributesOfItem(atPath: part.string)
                #expect(attributes[.posixPermissions] as? Int == 0o700, "\(part)")
            }
            #expect(try DataDirectory(opening: path) == directory)
        }
    }

    @Test("nothing is made that nobody uses; what an older version made stays, and nobody minds it")
    func unused() async throws {
        try await StoreScope.run { scope in
            let old = scope.path.appending("old")
            for folder in ["keys", "cache"] {
                try FileManager.default.createDirectory(
                    atPath: old.appending(folder).string,
                    withIntermediateDirectories: true
                )
            }
            try Data().write(to: URL(fileURLWithPath: old.appending("opening.lock").string))
            let store = try EmbeddedStore(opening: old, scope.options)
            _ = try await store.enqueue(request())
            let copy = scope.path.appending("copy")
            _ = try #require(try await store.backUp(to: copy))
            try store.close()
            try EmbeddedStore(opening: copy, scope.options).close()
            let names = try FileManager.default.contentsOfDirectory(atPath: copy.string)
            #expect(Set(names).isDisjoint(with: ["keys", "cache"]), "\(names)")
        }
    }

    @Test("whoever made it, it is for its owner alone, and so is the database")
    func closed() async throws {
        try await StoreScope.run { scope in
            let path = scope.path
            #expect(mkdir(path.string, 0o755) == 0 && chmod(path.string, 0o755) == 0)
            for _ in 0..<2 {
                let store = try EmbeddedStore(opening: path, scope.options)
                _ = try await store.enqueue(request())
                let names = try FileManager.default.contentsOfDirectory(atPath: path.string)
                for name in names where name.hasPrefix("db.sqlite") {
                    #expect(try mode(path.appending(name)) == 0o600, "\(name)")
                }
                #expect(try mode(path) == 0o700)
                // One of before this rule; the second opening finds it.
                #expect(chmod(path.appending("db.sqlite").string, 0o644) == 0)
                try store.close()
            }
        }
    }

    @Test(
        "what holds other things, is open to everybody, or is a link is refused, and nothing there is changed"
    )
    func foreign() async throws {
        try await StoreScope.run { scope in
            let files = FileManager.default
            let home = scope.path.appending("home")
            let thesis = home.appending("work/thesis").string
            try files.createDirectory(atPath: thesis, withIntermediateDirectories: true)
            #expect(chmod(home.string, 0o755) == 0)
            #expect(throws: StoreError.holdsOther(home, example: "work")) { try EmbeddedStore(opening: home) }
            #expect(try mode(home) == 0o755 && files.contentsOfDirectory(atPath: home.string) == ["work"])

            let shared = scope.path.appending("shared")
            #expect(mkdir(shared.string, 0o777) == 0 && chmod(shared.string, 0o1777) == 0)
            #expect(throws: StoreError.shared(shared)) { try EmbeddedStore(opening: shared) }
            #expect(try mode(shared) == 0o1777)

            let linked = scope.path.appending("linked")
            try EmbeddedStore(opening: linked, scope.options).close()
            #expect(rmdir(linked.appending("work").string) == 0)
            #expect(symlink(thesis, linked.appending("work").string) == 0)
            #expect(throws: StoreError.linked(linked.appending("work"))) {
                try EmbeddedStore(opening: linked)
            }

            let disk = scope.path.appending("disk")
            try files.createDirectory(
                atPath: disk.appending("lost+found").string,
                withIntermediateDirectories: true
            )
            try EmbeddedStore(opening: disk, scope.options).close()
        }
    }

    private func mode(_ path: FilePath) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path.string)[.posixPermissions] as? Int
    }

    @Test("a file in its place is refused")
    func file() async throws {
        try await StoreScope.run { scope in
            try Data().write(to: URL(fileURLWithPath: scope.path.string))
            #expect(throws: StoreError.notADirectory(scope.path)) { try EmbeddedStore(opening: scope.path) }
            let below = scope.path.appending("x")
            #expect(throws: StoreError.notADirectory(below)) { try EmbeddedStore(opening: below) }
        }
    }

    @Test("a place that can not be written is refused, for root too")
    func notWritable() {
        let path = FilePath("/sys/drydock-test")
        #expect(throws: StoreError.notWritable(path)) { try EmbeddedStore(opening: path) }
    }

    @Test("somebody else's directory is refused", .enabled(if: geteuid() == 0, "needs root to give it away"))
    func ownedByAnother() async throws {
        try await StoreScope.run { scope in
            _ = try DataDirectory(opening: scope.path)
            #expect(chown(scope.path.string, 12_345, 12_345) == 0)
            #expect(throws: StoreError.ownedByAnother(scope.path, owner: 12_345)) {
                try EmbeddedStore(opening: scope.path)
            }
        }
    }

    @Test("a database that is cut or overwritten is told, and stays as it is", arguments: [0x11, 5_000])
    func damaged(_ size: Int) async throws {
        try await StoreScope.run { scope in
            let first = try EmbeddedStore(opening: scope.path, scope.options)
            for _ in 0..<50 { _ = try await first.enqueue(request()) }
            try first.close()
            let path = scope.path.appending("db.sqlite").string
            let whole = try #require(FileManager.default.contents(atPath: path))
            let damaged = Data(whole.prefix(size))
            try damaged.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: StoreError.self) { try EmbeddedStore(opening: scope.path) }
            #expect(
                error?.code == "store.database-damaged" && error?.hint != nil,
                "\(String(describing: error))"
            )
            #expect(FileManager.default.contents(atPath: path) == damaged)
        }
    }

    @Test("a database of a newer version is refused")
    func newer() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            try store.database.writeNow { db in
                try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('99-from-the-future')")
            }
            try store.close()
            let path = scope.path.appending("db.sqlite")
            #expect(throws: StoreError.newerVersion(path)) { try EmbeddedStore(opening: scope.path) }
        }
    }

    @Test("several processes may open a new directory at once")
    func together() async throws {
        try await StoreScope.run { scope in
            let stores = try await withThrowingTaskGroup(of: (any Store).self) { group in
                for _ in 0..<8 { group.addTask { try scope.open() } }
                return try await group.reduce(into: [any Store]()) { $0.append($1) }
            }
            for store in stores { _ = try await store.enqueue(request()) }
            #expect(try await stores[0].builds(BuildFilter()).count == 8)
        }
    }

    @Test("a new directory that another marks at the same moment is no stranger's", .timeLimit(.minutes(1)))
    func markedTogether() async throws {
        for _ in 0..<200 {
            try await StoreScope.run { scope in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { _ = try DataDirectory(opening: scope.path) } }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("a full disk is told, and the journal stays whole")
    func diskFull() async throws {
        try await StoreScope.run { scope in
            try await scope.onSmallDisk(at: scope.path, size: "2m") { try await fill(scope) }
        }
    }

    private func fill(_ scope: StoreScope) async throws {
        let store = try EmbeddedStore(opening: scope.path, scope.options)
        let lease = try await store.enqueueLeased(request(), to: .first)
        let journal = try await store.journal(lease)
        let lines = (0..<10).map { _ in logLine(String(repeating: "x", count: 1_000)) }
        let segment = store.directory.segment(lease.build.id, lease.attempt)
        #expect(throws: StoreError.diskFull(segment)) {
            while true { try journal.append(lines, via: .host, step: nil) }
        }
        let blob = try store.newBlobs().newBlob()
        #expect(throws: StoreError.self) {
            while true {
                try [UInt8](repeating: 7, count: 4_096).withUnsafeBytes { try blob.write($0) }
            }
        }
        await #expect(throws: StoreError.self) { try await store.checkWritable() }
        // Not a byte is left, not even behind the last record; the end still goes in: room was kept for it.
        #expect(throws: StoreError.diskFull(segment)) {
            while true { try journal.append([logLine("x")], via: .host, step: nil) }
        }
        let outcome = Outcome(Failure(.stepFailed, .user, String(repeating: "m", count: 1_000)))
        let end = try journal.append([finished(outcome)], via: .host, step: nil)
        blob.discard()
        // Room again: what was kept is whole, and the journal goes on where it stopped.
        let reader = try await store.reader(lease.build.id, lease.attempt, after: 0)
        var seen: [UInt64] = []
        while case let batch = try await reader.available(maxBytes: 1 << 20), !batch.isEmpty {
            seen += batch.map(\.seq)
        }
        #expect(!seen.isEmpty && seen == Array(1...UInt64(seen.count)))
        let remounted = mount("tmpfs", scope.path.string, "tmpfs", UInt(MS_REMOUNT), "size=8m")
        #expect(remounted == 0)
        #expect(end == UInt64(seen.count) + 1)
        try await store.checkWritable()
        try await DrydockStoreTests.end(store, lease, outcome)
        #expect(try await readAll(store, lease).count == Int(end))
    }
}
