// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockConfig
internal import DrydockModel
internal import DrydockStore
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import SystemPackage

/// Where Drydock keeps its data and reads its configuration; of every command that needs either.
struct PlaceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The data directory.",
            discussion: "Default: DRYDOCK_DATA, else ~/.local/state/drydock, as root /var/lib/drydock.",
            valueName: "dir"
        )
    )
    var data: String?

    @Option(
        help: ArgumentHelp(
            "The configuration. Default: /etc/drydock/config.yaml, if it is there.",
            valueName: "file"
        )
    )
    var config: String?

    private static let systemConfiguration = "/etc/drydock/config.yaml"

    /// The configuration: the file, the environment over it, and these flags over both.
    func configuration(flags: [(key: String, value: String)] = []) throws -> ServerConfiguration {
        if data == "" {
            throw CommandProblem(.usage, "--data", why: "it names no directory")
        }
        let data = data.map { [(key: "data", value: $0.absolutePath)] } ?? []
        do {
            return try ServerConfiguration(
                file: try file(),
                environment: ProcessInfo.processInfo.environment,
                flags: data + flags
            )
        } catch {
            guard let failure = error as? Failure else { throw error }
            throw CommandProblem("the configuration", failure, status: .usage)
        }
    }

    private func file() throws -> (name: String, bytes: [UInt8])? {
        let path = config ?? Self.systemConfiguration
        guard config != nil || FileManager.default.fileExists(atPath: path) else { return nil }
        do throws(Errno) {
            return (path, try NamedFile.bytes(path))
        } catch {
            throw CommandProblem(
                .usage,
                path,
                why: "the configuration can not be read: \(error)",
                remedy: "name a file that this user may read with --config"
            )
        }
    }

    /// The data directory of this configuration.
    static func dataDirectory(_ configuration: ServerConfiguration) -> FilePath {
        if let data = configuration.data { return FilePath(data.absolutePath) }
        if geteuid() == 0 { return "/var/lib/drydock" }
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            return FilePath(state).appending("drydock")
        }
        return FilePath(environment["HOME"] ?? "/tmp").appending(".local/state/drydock")
    }

    /// The store in the data directory, which is made where it is missing.
    func openStore() throws -> EmbeddedStore { try Self.openStore(configuration()) }

    /// The store in a data directory that is there, for who looks only; builds whose holder has ended are settled first, so
    /// that nobody waits for them.
    ///
    /// nil where there is none.
    func existingStore() async throws -> EmbeddedStore? {
        let configuration = try configuration()
        guard DataDirectory.exists(at: Self.dataDirectory(configuration)) else { return nil }
        let store = try Self.openStore(configuration)
        _ = try await store.reap()
        return store
    }

    /// The same for who asks for a build, which has to be there then.
    func requiredStore() async throws -> EmbeddedStore {
        if let store = try await existingStore() { return store }
        throw CommandProblem(
            .usage,
            "the data directory \(Self.dataDirectory(try configuration()))",
            why: "there is none",
            remedy: "name the one that the build was made in with --data"
        )
    }

    static func openStore(_ configuration: ServerConfiguration) throws -> EmbeddedStore {
        do throws(StoreError) {
            var options = EmbeddedStore.Options()
            let logger = logger("drydock.store")
            options.onDamage = { logger.error("\($0)") }
            options.queuedInAll = configuration.queue.all
            options.queuedPerSubmitter = configuration.queue.perToken
            options.queuedPerSession = configuration.queue.perSession
            return try EmbeddedStore(opening: dataDirectory(configuration), options)
        } catch {
            throw CommandProblem(
                .unavailable,
                "the data directory \(dataDirectory(configuration))",
                why: error.message,
                remedy: error.hint ?? "`drydock doctor` says what this machine lacks"
            )
        }
    }

    /// Says on stderr where the data is: two commands that differ in it do not see each other's builds.
    static func announce(_ store: EmbeddedStore) {
        Console.error("drydock: data directory \(store.directory.path)")
    }

    /// A log on stderr; `DRYDOCK_LOG` sets its level.
    static func logger(_ label: String) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        let level = ProcessInfo.processInfo.environment["DRYDOCK_LOG"].flatMap(Logger.Level.init(rawValue:))
        logger.logLevel = level ?? .notice
        return logger
    }
}

/// Where plugins are looked for.
struct PluginOptions: ParsableArguments {
    @Option(
        name: .customLong("plugins"),
        help: ArgumentHelp(
            "A directory with plugins (repeatable; the first one wins).",
            discussion:
                "After these your own in ~/.config/drydock/plugins, the machine's in /etc/drydock/plugins, "
                + "and those that come with Drydock.",
            valueName: "dir"
        )
    )
    var directories: [String] = []

    /// The directories, the most important one first.
    func all(_ configuration: ServerConfiguration) throws -> [String] {
        let named = (directories + configuration.plugins).map(\.absolutePath)
        for directory in named where !FileManager.default.fileExists(atPath: directory) {
            throw CommandProblem(.usage, "--plugins \(directory)", why: "there is no such directory")
        }
        let shipped = try Installation().plugins.map { [$0] } ?? []
        let known = named + Self.usual.filter(Self.isOwn) + shipped
        return known.enumerated().filter { known.firstIndex(of: $0.element) == $0.offset }.map(\.element)
    }

    /// Whether it is there and belongs to this user or to root: under `sudo`, `HOME` may be somebody else's.
    private static func isOwn(_ directory: String) -> Bool {
        var status = stat()
        guard stat(directory, &status) == 0 else { return false }
        return status.st_uid == geteuid() || status.st_uid == 0
    }

    /// Where plugins of one's own lie: the user's, and the machine's.
    ///
    /// Not the working directory's: that may be a project nobody has vouched for.
    private static var usual: [String] {
        let environment = ProcessInfo.processInfo.environment
        let home =
            environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? environment["HOME"].map { $0 + "/.config" }
        return (home.map { [$0 + "/drydock/plugins"] } ?? []) + ["/etc/drydock/plugins"]
    }
}
