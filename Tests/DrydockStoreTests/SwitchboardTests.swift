// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("Who waits for what", .timeLimit(.minutes(1)))
struct SwitchboardTests {
    /// The kernel gives the same watch for the same directory, and takes it away whoever asked for it.
    private final class Kernel: Sendable {
        let isWatched = Mutex(false)
        let losses = Mutex(0)
    }

    @Test("a build that is left and followed at the same moment stays watched")
    func followed() async throws {
        try await StoreScope.run { scope in
            let store = try EmbeddedStore(opening: scope.path, scope.options)
            let watcher = try DirectoryWatcher(dueEvery: .seconds(60)) { _ in }
            let watch = try watcher.add(scope.path)
            let kernel = Kernel()
            let board = Switchboard(store.database)
            let build = BuildID(rawValue: "b")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let attempt = AttemptID(rawValue: "a\(number)")
                        for _ in 0..<1_000 {
                            try await board.follow(build, attempt) {
                                kernel.isWatched.withLock { $0 = true }
                                return watch
                            }
                            usleep(100)
                            if !kernel.isWatched.withLock({ $0 }) { kernel.losses.withLock { $0 += 1 } }
                            board.unfollow(build, attempt) { _ in
                                usleep(50)
                                kernel.isWatched.withLock { $0 = false }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(kernel.losses.withLock { $0 } == 0)
            #expect(!kernel.isWatched.withLock { $0 })
        }
    }
}
