// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockStore
import DrydockWorker
import Logging
import ServiceLifecycle
import Synchronization

/// A real worker of a scenario, and the strings on it.
final class ScriptedWorker: Sendable {
    private let script: WorkerScript
    private let group: ServiceGroup
    private let store: EmbeddedStore
    private let running: Task<Void, any Error>
    /// How often its run has ended: once, or not yet.
    private let ends = Counter()

    /// Starts `worker`, whose store is a scripted one on top of `store`.
    init(_ worker: Worker, _ script: WorkerScript, _ store: EmbeddedStore) {
        self.script = script
        self.store = store
        var logger = Logger(label: "scenario")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [worker], logger: logger)
        self.group = group
        // UNSTRUCTURED: awaited by end(). Detached, since it may be started from inside another worker, whose shutdown is
        // none of its own.
        running = Task.detached { [ends] in
            defer { ends.increment() }
            try await group.run()
        }
    }

    var number: Int { script.number }

    var isDead: Bool { script.isDead }

    /// Whether it does nothing any more.
    var isOver: Bool { isDead || ends.value > 0 }

    /// Asks it to end, as SIGTERM does.
    func shutDown() async { await group.triggerGracefulShutdown() }

    /// Cuts it off, as SIGKILL does: its lock is free, and nothing that it does arrives any more.
    func die() { script.die() }

    /// Waits for its end, and closes its store; throws what it ended with, unless it was cut off.
    func end() async throws {
        await shutDown()
        let result = await running.result
        try store.close()
        if !isDead { try result.get() }
    }
}
