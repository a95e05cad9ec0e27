// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import Synchronization
internal import SystemPackage

/// Keeps one worker process beside the server: starts it, starts it again when it ends by itself, and on a graceful
/// shutdown ends whichever worker serves the data directory, also one that an earlier server had started.
final class WorkerSupervisor: Service {
    /// Longest wait for a worker that was asked to end.
    private static let patience = Duration.seconds(30)

    private struct State {
        var child: Int32?
        var isStopping = false
    }

    private let program: FilePath
    private let arguments: [String]
    private let environment: [String]
    private let lock: WorkerLock
    private let logger: Logger
    private let start: AsyncStream<Void>
    private let state = Mutex(State())

    /// `arguments` follow the program's name; `environment` holds `NAME=value`; nothing is started before `start` ends.
    init(
        program: FilePath,
        arguments: [String],
        environment: [String],
        lock: WorkerLock,
        logger: Logger,
        start: AsyncStream<Void>
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.lock = lock
        self.logger = logger
        self.start = start
    }

    func run() async throws {
        for await _ in start.cancelOnGracefulShutdown() {}
        // It never listened (the port is taken, say): whoever serves the data directory is none of ours.
        if Task.isShuttingDownGracefully { return }
        try await withGracefulShutdownHandler {
            var pause = Duration.milliseconds(500)
            while !isStopping {
                let started = ContinuousClock.now
                let ending = try await runOnce()
                if isStopping { break }
                logger.error("the worker ended and is started again", metadata: ["ending": "\(ending)"])
                pause =
                    ContinuousClock.now - started > .seconds(60)
                    ? .milliseconds(500) : min(pause * 2, .seconds(30))
                // Cut short by the shutdown.
                _ = try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
            }
            await waitUntilNobodyServes()
        } onGracefulShutdown: { [self] in
            endWorkers()
        }
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Starts the worker in a session of its own, so that it outlives this process, and waits for its end.
    private func runOnce() async throws -> ChildProcess.Ending {
        let nothing = try OwnedDescriptor.null()
        let log = FileDescriptor.standardError
        let child = try nothing.withDescriptor { nothing in
            try ChildProcess.spawn(
                program,
                arguments: [program.string] + arguments,
                environment: environment,
                inherited: [.init(nothing, as: 0), .init(log, as: 1), .init(log, as: 2)]
            )
        }
        let isLate = state.withLock { state in
            state.child = child.processID
            return state.isStopping
        }
        if isLate { kill(child.processID, SIGTERM) }
        return try await Self.ending(of: child) { [self] in state.withLock { $0.child = nil } }
    }

    /// Waits on a thread of its own; `onEnd` is called before anybody else can get the process's number.
    private static func ending(
        of child: consuming ChildProcess,
        onEnd: @escaping @Sendable () -> Void
    ) async throws -> ChildProcess.Ending {
        let waiting = WaitingChild(child)
        return try await withCheckedThrowingContinuation { continuation in
            do {
                try SystemThread.start(name: "worker-wait") {
                    let ending = Result { try waiting.child.waitBlocking() }
                    onEnd()
                    continuation.resume(with: ending)
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Asks our worker, and the one that serves, to end.
    private func endWorkers() {
        let child = state.withLock { state in
            state.isStopping = true
            return state.child
        }
        for process in Set([child, lock.holder()].compactMap(\.self)) { kill(process, SIGTERM) }
    }

    private func waitUntilNobodyServes() async {
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        while let holder = lock.holder() {
            if ContinuousClock.now > deadline {
                return logger.error(
                    "the worker does not end; its builds go on",
                    metadata: ["pid": "\(holder)"]
                )
            }
            // It holds the lock until its very end; there is nothing else to wait for.
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }
}

/// Carries a child to the thread that waits for it.
private final class WaitingChild: Sendable {
    let child: ChildProcess

    init(_ child: consuming ChildProcess) { self.child = child }
}
