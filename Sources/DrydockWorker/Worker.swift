// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
package import DrydockStore
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Leases builds as their turn comes and takes each through its steps, in as many slots as it was given.
package struct Worker: Service {
    private let shop: Workshop
    private let id: WorkerID
    private let slots: Int
    private let ties: WorkerTies

    /// How often the worker looks without being called: for builds whose holder ended, and for who wants it.
    private static let look = Duration.milliseconds(500)

    /// `slots`: how many builds run at a time, from 1.
    package init(shop: Workshop, id: WorkerID, slots: Int, ties: WorkerTies = .none) {
        self.shop = shop
        self.id = id
        self.slots = max(1, slots)
        self.ties = ties
    }

    /// Works until the graceful shutdown of its service group, when builds that run are given back to the queue; or until
    /// nobody wants it any more and its last build has ended.
    package func run() async throws {
        let registration = try await shop.store.register(id)
        defer { registration.end() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            // By itself, so that a database or a disk that is slow is not taken for a worker that hangs.
            group.addTask {
                repeat { ties.beat() } while (try? await shop.clock.pause(for: Self.look)) != nil
            }
            defer { group.cancelAll() }
            if let proof = shop.proof {
                await proof.prove()
                group.addTask { await proof.run() }
            }
            try await work()
        }
    }

    private func work() async throws {
        try await shop.settle()
        let running = RunningBuilds()
        let (wakeUps, wake) = try wakeUps()
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                for await _ in wakeUps.cancelOnGracefulShutdown() {
                    if !ties.isWanted() {
                        if running.count == 0 { break }
                        continue
                    }
                    do {
                        try await fillSlots(running) { lease, stop in
                            group.addTask {
                                await serve(lease, stop: stop, in: running)
                                wake.yield()
                            }
                        }
                    } catch {
                        // The builds that run must not end with it; the next look, in some seconds, may go through.
                        shop.logger.error("the queue could not be read", metadata: ["error": "\(error)"])
                    }
                }
            }
        } onGracefulShutdown: {
            running.close()
        }
    }

    /// Takes builds while there are free slots and builds that may start.
    private func fillSlots(_ running: RunningBuilds, start: (Lease, StopSignal) -> Void) async throws {
        if shop.proof?.failure != nil { return }
        if try await shop.takeBack() { try await shop.removeLeftovers() }
        while running.count < slots, !running.isClosed, let lease = try await shop.store.lease(to: id) {
            let stop = StopSignal()
            running.add(lease.attempt, stop)
            start(lease, stop)
        }
    }

    private func serve(_ lease: Lease, stop: StopSignal, in running: RunningBuilds) async {
        await LeasedBuild(lease: lease, shop: shop, stop: stop).run()
        running.remove(lease.attempt)
    }

    /// Every change of the store, and a look now and then for leases that lapsed; ends with the shutdown.
    private func wakeUps() throws -> (AsyncStream<Void>, AsyncStream<Void>.Continuation) {
        let bell = try shop.store.changeBell()
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let clock = shop.clock
        // UNSTRUCTURED: ends with the bell, or when the stream's consumer goes away and cancels it.
        let ringing = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in bell { continuation.yield() }
                }
                group.addTask {
                    while (try? await clock.pause(for: Self.look)) != nil { continuation.yield() }
                }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in ringing.cancel() }
        continuation.yield()
        return (stream, continuation)
    }
}
