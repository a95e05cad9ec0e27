// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockConfig
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import DrydockServer
internal import DrydockStore
internal import FoundationEssentials
internal import Logging
internal import ServiceLifecycle
internal import SystemPackage

/// The command `drydock serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the API, live streams, the page and previews, and starts a worker.",
        discussion: """
            EXAMPLES
              drydock serve
              drydock serve --listen 127.0.0.1:9000 --data /srv/drydock
              drydock serve --config /etc/drydock/config.yaml
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions

    @Option(
        help: ArgumentHelp(
            "Where to listen; port 0 = any free one. Default: 127.0.0.1:8080.",
            valueName: "host:port"
        )
    )
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Builds this directory once it listens (repeatable); for trying it out.",
            valueName: "dir"
        )
    )
    var build: [String] = []

    func run() async throws {
        let configuration = try place.configuration(flags: listen.map { [("listen", $0)] } ?? [])
        let options = try ServerOptions.make(configuration)
        // Its worker reads them; what is wrong with them is said here and now.
        _ = try SecretsReading.secrets(configuration)
        let directories = try plugins.all(configuration)
        let store = try PlaceOptions.openStore(configuration)
        try await options.requireTokens(store, at: .now())
        let logger = PlaceOptions.logger("drydock.serve")
        let start = WorkerStart(
            program: try Installation().program,
            arguments: workerArguments(data: store.directory.path, directories),
            environment: ProcessInfo.processInfo.environment.map { "\($0)=\($1)" },
            files: [try Installation().program]
                + [place.config?.absolutePath, configuration.secrets].compactMap { $0.map { FilePath($0) } }
        )
        let lock = try Self.lock(store.directory, start.fingerprint)
        defer { withExtendedLifetime(lock) {} }
        PlaceOptions.announce(store)
        let (listening, isListening) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let supervisor = WorkerSupervisor(
            start: start,
            lock: store.directory.workerLock,
            logger: logger,
            listening: listening
        )
        let readiness = Readiness(store: store, supervisor: supervisor)
        let server = DrydockServer(
            store: store,
            options: options,
            plugins: { try await Blocking.run { try PluginReport.json(.load(directories: directories)) } },
            readiness: { await readiness.failure() },
            onListening: { [build, scheme = options.certificate == nil ? "http" : "https"] host, port in
                isListening.finish()
                Console.out("drydock: listening on \(scheme)://\(host):\(port)/")
                await Self.queue(build, store, logger)
            },
            logger: logger
        )
        try await Self.serve(server, supervisor, logger)
    }

    private func workerArguments(data: FilePath, _ directories: [String]) -> [String] {
        var arguments = ["worker", "--data", data.string]
        if let config = place.config { arguments += ["--config", config.absolutePath] }
        return arguments + directories.flatMap { ["--plugins", $0] }
    }

    private static func serve(
        _ server: DrydockServer,
        _ supervisor: WorkerSupervisor,
        _ logger: Logger
    ) async throws {
        // Whichever ends, the other one ends in order, and the worker with it.
        let configuration = ServiceGroupConfiguration(
            services: [
                .init(service: supervisor, failureTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: server, failureTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        let services = ServiceGroup(configuration: configuration)
        do {
            try await services.run()
        } catch let error as DrydockServerError {
            throw CommandProblem(.unavailable, "serve", why: "\(error)")
        }
    }

    /// Takes the data directory for this server alone.
    private static func lock(_ directory: DataDirectory, _ fingerprint: String) throws -> LivenessLock {
        if let lock = try LivenessLock.take(directory.serverLock, note: fingerprint) { return lock }
        let other = LivenessLock.lastHolder(of: directory.serverLock).map {
            " (process \($0.process.number))"
        }
        throw CommandProblem(
            .unavailable,
            "serve",
            why: "another server\(other ?? "") serves the data directory \(directory.path)",
            remedy: "stop it, or name another directory with --data"
        )
    }

    /// Queues what `--build` named.
    private static func queue(_ build: [String], _ store: any Store, _ logger: Logger) async {
        for directory in build {
            guard let path = realPathOf(directory) else {
                logger.error("--build: there is no such directory", metadata: ["path": "\(directory)"])
                continue
            }
            let request = BuildRequest(
                session: SessionID(rawValue: "demo"),
                project: ProjectName(rawValue: path),
                source: .path(path),
                trigger: .cli,
                title: FilePath(path).lastComponent?.string ?? path
            )
            do {
                _ = try await store.enqueue(request)
            } catch {
                logger.error(
                    "--build: could not be queued",
                    metadata: ["path": "\(path)", "error": "\(error)"]
                )
            }
        }
    }
}
