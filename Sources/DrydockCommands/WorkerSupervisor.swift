// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import Synchronization
internal import SystemPackage

/// Keeps one worker process beside the server: goes on with the one that an earlier server left at work, or starts one;
/// starts another when it ends, ends it when it hangs, and on a graceful shutdown ends it in order.
final class WorkerSupervisor: Service {
    /// How often it looks.
    private static let look = Duration.milliseconds(200)
    /// Longest wait for a worker that was asked to end.
    private static let patience = Duration.seconds(30)
    /// One that ran for so long is started again at once; others after a pause that grows.
    private static let settled = Duration.seconds(5)

    private let start: WorkerStart
    private let lock: FilePath
    private let logger: Logger
    private let listening: AsyncStream<Void>
    private let watch = Mutex(WorkerWatch())
    /// Whether the last look at the lock failed: told once, not five times a second.
    private let isBlind = Mutex(false)

    /// `lock`: the worker's; nothing is started before `listening` ends.
    init(start: WorkerStart, lock: FilePath, logger: Logger, listening: AsyncStream<Void>) {
        self.start = start
        self.lock = lock
        self.logger = logger
        self.listening = listening
    }

    /// How the worker is now.
    var health: WorkerWatch.Health { watch.withLock { $0.health } }

    func run() async throws {
        for await _ in listening.cancelOnGracefulShutdown() {}
        // It never listened: the port is taken, say.
        if Task.isShuttingDownGracefully { return }
        var pause = Duration.zero
        while !Task.isShuttingDownGracefully {
            let started = ContinuousClock.now
            let ending: String
            var child: RunningWorker?
            do {
                child = try startUnlessServed()
                ending = await untilItEnds(child)
            } catch {
                // No descriptor, no process to be had: that may pass, and the server goes on meanwhile.
                ending = "it could not be started: \(error)"
            }
            watch.withLock { $0 = WorkerWatch() }
            if Task.isShuttingDownGracefully {
                await end(child)
                return
            }
            logger.error("the worker ended; another one is started", metadata: ["ending": "\(ending)"])
            let isSettled = ContinuousClock.now - started > Self.settled
            pause = isSettled ? .zero : min(max(pause * 2, .milliseconds(500)), .seconds(30))
            // Cut short by the shutdown.
            _ = try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
        }
    }

    /// nil when a worker is there already.
    private func startUnlessServed() throws -> RunningWorker? {
        if case .held(let holder) = try LivenessLock.status(of: lock) {
            let process = holder.map { "\($0.process.number)" } ?? "?"
            logger.notice("a worker is at work here already", metadata: ["pid": "\(process)"])
            return nil
        }
        return try start.run()
    }

    /// Returns when the worker is gone, or the server shuts down; what is known of how.
    private func untilItEnds(_ child: RunningWorker?) async -> String {
        while !Task.isShuttingDownGracefully {
            if let child, let ending = child.ending { return ending }
            if let (status, verdict) = look(SuspendingClock.now) {
                if child == nil, status == .free { return "it was an earlier server's" }
                if verdict == .hangs { endHanging(status, child) }
            }
            _ = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.look) }
        }
        return "the server is stopping"
    }

    /// How the lock stands and what the watch makes of it; nil where that can not be told now: a look that nobody had is
    /// no sign that the worker hangs.
    func look(_ now: SuspendingClock.Instant) -> (LivenessLock.Status, WorkerWatch.Verdict)? {
        guard let status = currentStatus else { return nil }
        return (status, watch.withLock { $0.look(at: status, now) })
    }

    private func endHanging(_ status: LivenessLock.Status, _ child: RunningWorker?) {
        logger.error(
            "the worker does not answer and is ended; its builds start again",
            metadata: ["after": "\(WorkerWatch.patience)"]
        )
        signal(SIGKILL, status, child)
    }

    /// To whoever holds the lock, by a descriptor that was checked against what stands there; and to our own child, which
    /// may not have come as far as the lock.
    private func signal(_ number: Int32, _ status: LivenessLock.Status, _ child: RunningWorker?) {
        do throws(Errno) {
            if case .held(let holder?) = status { _ = try holder.process.signal(number) }
            try child?.signal(number)
        } catch {
            logger.error("the worker can not be signalled", metadata: ["error": "\(error)"])
        }
    }

    /// Asks the worker to end, and ends it when it does not.
    private func end(_ child: RunningWorker?) async {
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        var isAsked = false
        while isAround(child) {
            let status = currentStatus
            // Who holds the lock can not be asked before it can be read; one child is never asked twice.
            if !isAsked, status != nil || child != nil {
                signal(SIGTERM, status ?? .held(nil), child)
                isAsked = true
            }
            if ContinuousClock.now > deadline {
                logger.error("the worker does not end and is killed; its builds start again with the next")
                return signal(SIGKILL, status ?? .held(nil), child)
            }
            // It holds the lock until its very end; there is nothing else to wait for.
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }

    private func isAround(_ child: RunningWorker?) -> Bool {
        if let child, child.ending == nil { return true }
        return currentStatus != .free
    }

    /// How the lock stands; nil where that can not be told now, with no descriptor left perhaps: no reason to end a
    /// worker, nor to take it for gone.
    private var currentStatus: LivenessLock.Status? {
        do throws(Errno) {
            let status = try LivenessLock.status(of: lock)
            isBlind.withLock { $0 = false }
            return status
        } catch {
            let wasBlind = isBlind.withLock { isBlind in
                defer { isBlind = true }
                return isBlind
            }
            if !wasBlind {
                logger.warning("the worker's lock can not be looked at", metadata: ["error": "\(error)"])
            }
            return nil
        }
    }
}
