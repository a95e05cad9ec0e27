// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import Foundation
import Synchronization
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("Sealed journals", .timeLimit(.minutes(2)))
struct SealingTests {
    @Test("a journal that has ended becomes smaller, and is told byte for byte as before, from any record on")
    func sealed() async throws {
        try await withEndedBuild(lines: 3_000) { build in
            let plain = try build.bytes(build.plain)
            let report = try await build.seal()
            #expect(report.journals == 1 && report.plain.bytes == plain.count && report.problem == nil)
            #expect(try build.names() == [build.lease.attempt.rawValue + ".sealed"])
            #expect(try build.bytes(build.sealed).count == report.stored.bytes)
            #expect(report.stored.bytes * 3 / 2 < report.plain.bytes, "noise and all")
            let index = try build.index()
            #expect(index.blocks.count > 5 && index.footer?.records == 3_002 && index.footer?.lines == 3_000)
            #expect(index.blocks.dropLast().allSatisfy { (16 << 10...64 << 10).contains($0.count) })
            #expect(try await build.told() == plain)
            let starts = [0] + plain.indices.filter { plain[$0] == 0x0A }.map { $0 + 1 }
            let edges: [UInt64] = index.blocks.flatMap { [$0.seq - 1, $0.seq, $0.lastSeq] }
            for seq in edges + [1, 3_001, 3_002] {
                #expect(try await build.told(after: seq) == Array(plain[starts[Int(seq)]...]), "after \(seq)")
            }
            #expect(try await build.seal().journals == 0, "there is nothing more to do")
        }
    }

    @Test("a reader that is inside goes on, and hears the end once, when its journal is sealed")
    func openReader() async throws {
        try await withEndedBuild(lines: 3_000) { build in
            let plain = try build.bytes(build.plain)
            let reader = try await build.store.reader(build.lease.build.id, build.lease.attempt, after: 0)
            var told: [UInt8] = []
            for line in try #require(try await reader.next(maxBytes: 64 << 10)) {
                told += line.bytes + [0x0A]
            }
            #expect(try await build.seal().journals == 1)
            while let lines = try await reader.next(maxBytes: 64 << 10) {
                for line in lines { told += line.bytes + [0x0A] }
            }
            #expect(told == plain)
        }
    }

    @Test("what a crash leaves between the steps is read, and made good by the next look")
    func crashes() async throws {
        try await withEndedBuild(lines: 1_500) { build in
            let plain = try build.bytes(build.plain)
            let file = try #require(try SegmentFile.reading(build.plain))
            let hidden = "." + build.lease.attempt.rawValue + ".new"
            let unfinished = build.plain.removingLastComponent().appending(hidden)

            // While it was written.
            try Data("DRYJRNL1 and a half".utf8).write(to: URL(filePath: unfinished.string))
            #expect(try await build.told() == plain)
            #expect(try DataDirectory.names(in: unfinished.removingLastComponent()).count == 1)

            // Before it had its name.
            #expect(try build.sealer.write(file, Int64(plain.count)) != nil)
            #expect(try build.names().count == 2)
            #expect(try await build.told() == plain)

            // Before the plain one was gone.
            try build.sealer.publish()
            #expect(try build.names().count == 2)
            #expect(try await build.told() == plain)

            #expect(try await build.seal().journals == 1)
            #expect(try build.names() == [build.lease.attempt.rawValue + ".sealed"])
            #expect(try await build.told() == plain)
        }
    }

    @Test("a damaged block is a gap in its place, told once; all other records are served")
    func damagedBlock() async throws {
        try await StoreScope.run { scope in
            let told = Mutex<[StoreDamage]>([])
            var options = scope.options
            options.onDamage = { damage in told.withLock { $0.append(damage) } }
            let store = try EmbeddedStore(opening: scope.path, options)
            let build = try await EndedBuild(store, lines: 3_000)
            try await build.seal()
            let index = try build.index()
            let block = index.blocks[2]
            try build.overwrite(build.sealed, at: block.position + 100, with: Array("damage".utf8))
            for _ in 1...2 {
                let records = try await readAll(store, build.lease)
                let gaps = records.filter { if case .gap = $0.event { true } else { false } }
                #expect(gaps.map(\.seq) == [block.lastSeq])
                guard case .gap(let gap)? = gaps.first?.event else { return }
                #expect(gap.lines == block.records)
                #expect(records.count == 3_002 - block.records + 1 && records.last?.event == finished())
            }
            #expect(told.withLock { $0.count } == 1)
            #expect(try await store.gzipJournal(build.lease.build.id) == nil, "it is told record by record")
        }
    }

    @Test(
        "an end that is lost is told as lost, wherever in its block one goes on from",
        arguments: [0, 1, 2, 9]
    )
    func damagedEnd(_ further: UInt64) async throws {
        try await withEndedBuild(lines: 3_000) { build in
            try await build.seal()
            let index = try build.index()
            let block = try #require(index.blocks.last)
            try build.overwrite(build.sealed, at: block.position + 100, with: Array("damage".utf8))
            let after = block.seq - 1 + further
            let reader = try await build.store.reader(build.lease.build.id, build.lease.attempt, after: after)
            var told: [JournalLine] = []
            while let lines = try await reader.next(maxBytes: 64 << 10) { told += lines }
            #expect(told.map(\.seq) == [block.lastSeq])
            let record = try #require(try told.first.flatMap { try JournalCodec.decode($0.bytes) })
            guard case .gap = record.event else { throw Errno.noData }
        }
    }

    @Test("an index that is damaged is found again in the blocks", arguments: [-64, -1, -100, -700])
    func damagedIndex(_ place: Int) async throws {
        try await withEndedBuild(lines: 3_000) { build in
            let plain = try build.bytes(build.plain)
            try await build.seal()
            let size = try build.bytes(build.sealed).count
            try build.overwrite(build.sealed, at: Int64(size + place), with: [0x55])
            #expect(try SegmentFile.reading(build.plain)?.index?.footer == nil)
            #expect(try await build.told() == plain)
            #expect(try await build.store.gzipJournal(build.lease.build.id) == nil)
            let span = try await build.store.logSpan(build.lease.build.id, build.lease.attempt, .last(2))
            #expect(span == LogSpan(first: 3_000))
        }
    }

    @Test("whatever becomes of a sealed file, reading it ends, and tells nothing that was not there")
    func anyDamage() async throws {
        try await withEndedBuild(lines: 1_000) { build in
            let lines = Set(try build.bytes(build.plain).split(separator: 0x0A))
            try await build.seal()
            let whole = try build.bytes(build.sealed)
            var random = SystemRandomNumberGenerator()
            for _ in 0..<60 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                        in: 0...255,
                        using: &random
                    )
                }
                if Bool.random() { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
                try Data(bytes).write(to: URL(filePath: build.sealed.string))
                let file = try #require(try SegmentFile.reading(build.plain))
                let size = try file.size()
                let read = try file.read(from: 0, count: 1 << 24)
                #expect(read.count == size)
                let isGood = read.split(separator: 0x0A).allSatisfy {
                    lines.contains($0) || $0.allSatisfy { $0 == 0 }
                }
                #expect(isGood)
                _ = try LogSpan(.lines(500, through: 600), in: file)
                _ = try LogSpan(.last(10), in: file)
            }
        }
    }

    @Test("a damaged journal, a torn one and one without its end stay as they are", arguments: 0..<4)
    func unfit(_ kind: Int) async throws {
        try await withEndedBuild(lines: 10) { build in
            var bytes = try build.bytes(build.plain)
            let lines = bytes.split(separator: 0x0A)
            switch kind {
            case 0: bytes[bytes.count / 2] = 0
            case 1: bytes += Array("{\"seq\":13".utf8)
            case 2: bytes.removeLast(lines[11].count + 1)
            default: bytes.removeSubrange(lines[5].startIndex...lines[5].endIndex)
            }
            try Data(bytes).write(to: URL(filePath: build.plain.string))
            #expect(try await build.seal().journals == 0)
            #expect(try build.names() == [build.lease.attempt.rawValue + ".ndjson"])
            #expect(try build.bytes(build.plain) == bytes)
        }
    }

    @Test("a journal that is open for writing is left alone, and taken later")
    func busy() async throws {
        try await withEndedBuild(lines: 10) { build in
            let writer = try await build.store.journal(build.lease)
            #expect(try await build.seal().journals == 0)
            try writer.close()
            #expect(try await build.seal().journals == 1)
        }
    }

    @Test("while journals are copied or removed none is sealed, and none forgotten")
    func locked() async throws {
        try await withEndedBuild(lines: 10) { build in
            let lock = try #require(try LivenessLock.take(build.store.directory.sealingLock))
            #expect(try await build.seal().journals == 0)
            withExtendedLifetime(lock) {}
            lock.remove()
            #expect(try await build.seal().journals == 1)
        }
    }

    @Test("nothing can be appended to a sealed journal, and no plain one appears beside it")
    func writer() async throws {
        try await withEndedBuild(lines: 10) { build in
            let size = try build.bytes(build.plain).count
            try await build.seal()
            let writer = try await build.store.journal(build.lease)
            #expect(writer.size == ByteCount(Int64(size)))
            #expect(throws: StoreError.journalEnded(build.lease.attempt)) {
                try writer.append([logLine("more")], via: .host, step: nil)
            }
            try writer.close()
            #expect(try build.names() == [build.lease.attempt.rawValue + ".sealed"])
        }
    }

    @Test("the index is made again from sealed journals, and a backup holds them")
    func rebuilt() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path.appending("data"), scope.options)
            let lease = try await RebuildTests.longBuild(store, artifacts: 700)
            let id = lease.build.id
            let before = try await store.build(id)
            #expect(try await store.sealJournals(atMost: .gibibytes(1)).journals == 1)
            let copy = scope.path.appending("copy")
            #expect(try await store.backUp(to: copy)?.journals == 1)
            try store.close()
            for name in try DataDirectory.names(in: store.directory.path) where name.hasPrefix("db.sqlite") {
                try FileManager.default.removeItem(atPath: store.directory.path.appending(name).string)
            }
            for path in [store.directory.path, copy] {
                let again = try EmbeddedStore(opening: path, scope.options)
                let after = try await again.build(id)
                #expect(after?.state == .succeeded && after?.request.title == before?.request.title)
                try await again.readWholeJournal(of: id)
                #expect(try await again.artifacts(id).count == 700)
                #expect(try await readAll(again, lease).last?.seq == 903)
                try again.close()
            }
        }
    }

    @Test("an attempt that was given up is sealed without an end, and builds that run are not")
    func attempts() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let first = try await store.enqueueLeased(request(), to: .first)
            let journal = try await store.journal(first)
            try journal.append([logLine("1")], via: .host, step: nil)
            try journal.close()
            try await store.move(first, to: .queued)
            let second = try #require(try await store.lease(to: .first))
            let rest = try await store.journal(second)
            try rest.append([logLine("2")], via: .host, step: nil)
            #expect(try await store.sealJournals(atMost: .gibibytes(1)).journals == 0)
            try rest.append([finished()], via: .host, step: nil)
            try rest.close()
            try await end(store, second)
            #expect(try await store.sealJournals(atMost: .gibibytes(1)).journals == 2)
            #expect(try await readAll(store, first).map(\.event) == [logLine("1")])
            #expect(try await readAll(store, second).map(\.event) == [logLine("2"), finished()])
        }
    }

    @Test(
        "a stale attempt that goes on writing keeps its journal plain: nothing of it is lost, or told twice"
    )
    func stale() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let first = try await store.enqueueLeased(request(), to: .first)
            let stale = try await store.journal(first)
            try stale.append([logLine("1")], via: .host, step: nil)
            try await store.move(first, to: .queued)
            let second = try #require(try await store.lease(to: .second))
            let journal = try await store.journal(second)
            try journal.append([finished()], via: .host, step: nil)
            try journal.close()
            try await end(store, second)
            // Another process's store: it knows nothing of the writer but its lock.
            let other = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try await other.sealJournals(atMost: .gibibytes(1)).journals == 1)
            let reader = try await other.reader(first.build.id, first.attempt, after: 0)
            #expect(try await reader.next(maxBytes: 1 << 16)?.map(\.seq) == [1])
            try stale.append([logLine("2")], via: .host, step: nil)
            try stale.close()
            #expect(try await other.sealJournals(atMost: .gibibytes(1)).journals == 1)
            #expect(try await readAll(other, first).map(\.event) == [logLine("1"), logLine("2")])
            #expect(try await reader.next(maxBytes: 1 << 16)?.map(\.seq) ?? [] == [2])
            #expect(throws: StoreError.journalEnded(first.attempt)) {
                let late = try SegmentWriter(
                    store.directory,
                    first.build.id,
                    first.attempt,
                    now: scope.options.now
                )
                try late.append([logLine("3")], via: .host, step: nil)
            }
        }
    }

    @Test("who opens a journal while it is sealed gets none that is gone")
    func openedWhileSealed() async throws {
        try await withEndedBuild(lines: 10) { build in
            var ending: SegmentSealer.Ending?
            let file = try SegmentFile.appending(build.plain, build.lease.attempt) {
                if ending == nil { ending = try? build.sealer.seal() }
            }
            guard case .sealed? = ending else { throw Errno.noData }
            #expect(try file.size() == 0, "it is another one")
            #expect(try SegmentFile.opening(build.plain)?.size() == 0)
        }
    }

    @Test("sealing that is given up, wherever it is, changes nothing, and goes on with the next look")
    func givenUp() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let builds = [
                try await EndedBuild(store, lines: 3_000), try await EndedBuild(store, lines: 10),
            ]
            let plain = try builds[0].bytes(builds[0].plain)
            for looks in [0, 1, 2, 5] {
                var left = looks
                let ending = try builds[0].sealer.seal {
                    left -= 1
                    return left >= 0
                }
                #expect(ending == .interrupted)
                #expect(try builds[0].names() == [builds[0].lease.attempt.rawValue + ".ndjson"])
            }
            // UNSTRUCTURED: awaited here.
            let cancelled = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await store.sealJournals(atMost: .gibibytes(1)).journals
            }
            // How far it looked before it saw that, nobody says.
            if let sealed = try? await cancelled.value { #expect(sealed == 0) }
            #expect(try builds[0].bytes(builds[0].plain) == plain)
            #expect(try await builds[0].seal().journals == 2)
            #expect(try await builds[0].told() == plain)
        }
    }

    @Test("no more is sealed at once than was asked for; the next look goes on from there")
    func pace() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            for number in 0..<4 { _ = try await EndedBuild(store, lines: 10, session: "s\(number)") }
            for _ in 0..<4 {
                let report = try await store.sealJournals(atMost: ByteCount(1))
                #expect(report.journals == 1 && report.hasMore)
            }
            let rest = try await store.sealJournals(atMost: ByteCount(1))
            #expect(rest.journals == 0 && !rest.hasMore)
            let other = try EmbeddedStore(opening: scope.path, scope.options)
            #expect(try await other.sealJournals(atMost: .gibibytes(1)).journals == 0, "it finds them sealed")
        }
    }
}
