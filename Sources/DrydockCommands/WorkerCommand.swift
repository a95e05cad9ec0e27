// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import DrydockWorker
internal import Logging
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

    @Option(
        help: ArgumentHelp(
            "Works only while a server with this fingerprint serves the data directory. For `serve`.",
            visibility: .hidden
        )
    )
    var forServer: String?

    func run() async throws {
        let configuration = try place.configuration()
        let store = try PlaceOptions.openStore(configuration)
        let ties = try forServer.map { try ServerTies(store.directory, fingerprint: $0) }
        try Installation().reapSandboxes()
        var shop = try await Workshop.make(
            configuration,
            plugins: try plugins.all(configuration),
            store: store,
            label: "drydock.worker"
        )
        shop.proof = ProofKeeper(
            prover: try Installation().prover(policy: shop.options.policy),
            store: store,
            clock: shop.clock,
            logger: shop.logger
        )
        let worker = Worker(
            shop: shop,
            id: .make("worker"),
            slots: configuration.slots,
            ties: ties?.ties ?? .none
        )
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(
                        service: Housekeeping(
                            store: store,
                            retention: configuration.retention,
                            caches: shop.options.caches,
                            roots: RootFileSystems(in: store.directory.roots),
                            logger: shop.logger
                        ),
                        successTerminationBehavior: .ignore
                    ),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: shop.logger
            )
        )
        try await services.run()
    }
}
