// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockTestSupport
import Foundation
import Synchronization
import SystemPackage
import Testing

@testable import DrydockOS

@Suite("Waiting", .timeLimit(.minutes(1)))
struct WaitingTests {
    @Test("a promise is kept once, for those who wait and those who come later")
    func promise() async {
        let promise = Promise<Int>()
        #expect(promise.current == nil)
        async let first = promise.value
        async let second = promise.value
        promise.keep(1)
        promise.keep(2)
        #expect(await first == 1)
        #expect(await second == 1)
        #expect(await promise.value == 1)
        #expect(promise.current == 1)
    }

    @Test("no more jobs run at one time than the pool is wide, and all of them run")
    func width() async {
        struct Count {
            var now = 0
            var most = 0
            var done = 0
        }
        let pool = ThreadPool(name: "test", width: 3)
        let count = Mutex(Count())
        let end = Promise<Void>()
        for _ in 0..<60 {
            pool.submit {
                count.withLock { count in
                    count.now += 1
                    count.most = max(count.most, count.now)
                }
                usleep(2_000)
                let isLast = count.withLock { count in
                    count.now -= 1
                    count.done += 1
                    return count.done == 60
                }
                if isLast { end.keep(()) }
            }
        }
        await end.value
        #expect(count.withLock { $0.most } == 3)
    }

    @Test("what is thrown and returned off the tasks' threads comes back")
    func blocking() async throws {
        #expect(await Blocking.run { 7 } == 7)
        await #expect(throws: Errno.noSuchFileOrDirectory) {
            try await Blocking.run { () throws(Errno) in throw Errno.noSuchFileOrDirectory }
        }
        let order = Mutex<[String]>([])
        await #expect(throws: Errno.ioError) {
            let cleanUp = { @Sendable in order.withLock { $0.append("cleaned") } }
            try await Blocking.cleaning(up: cleanUp) {
                order.withLock { $0.append("worked") }
                throw Errno.ioError
            }
        }
        #expect(order.withLock { $0 } == ["worked", "cleaned"])
    }

    @Test("a directory that is written all the time does not keep the look at everything from coming")
    func due() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "drydock-due-" + UUID().uuidString
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let looks = Counter()
        let enough = Promise<Void>()
        let watcher = try DirectoryWatcher(dueEvery: .milliseconds(100)) { notice in
            if case .due = notice, looks.increment() == 3 { enough.keep(()) }
        }
        _ = try watcher.add(FilePath(folder.path))
        let file = folder.appending(path: "busy")
        // Never silent for as long as the interval: without its own time the look would not come.
        while enough.current == nil {
            try Data("x".utf8).write(to: file)
            try await Task.sleep(for: .milliseconds(10))
        }
        withExtendedLifetime(watcher) {}
    }
}
