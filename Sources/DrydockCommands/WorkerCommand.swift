// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import DrydockWorker
internal import FoundationEssentials
internal import Glibc
internal import ServiceLifecycle

/// The command `drydock worker`.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "A worker alone: takes builds from the queue of a data directory and runs them.",
        discussion: """
            `drydock serve` starts one by itself. On SIGTERM it gives the builds that run back to the queue.

            EXAMPLES
              drydock worker --data /var/lib/drydock
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions

    @Flag(
        help: ArgumentHelp(
            "Waits for its turn: one worker a data directory. For `serve`.",
            visibility: .hidden
        )
    )
    var oneAtATime = false

    func run() async throws {
        let configuration = try place.configuration()
        let store = try PlaceOptions.openStore(configuration)
        if oneAtATime { try await Self.waitForTurn(WorkerLock(dataDirectory: store.directory.path)) }
        try Installation().reapSandboxes()
        let shop = try await Workshop.make(
            configuration,
            plugins: try plugins.all(configuration),
            store: store,
            label: "drydock.worker"
        )
        let worker = Worker(
            shop: shop,
            id: WorkerID(rawValue: "\(ProcessInfo.processInfo.hostName)-\(getpid())"),
            slots: configuration.slots
        )
        let services = ServiceGroup(
            services: [worker],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: shop.logger
        )
        try await services.run()
    }

    private static func waitForTurn(_ lock: WorkerLock) async throws {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try SystemThread.start(name: "worker-lock") {
                    continuation.resume(with: Result { try lock.hold() })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
