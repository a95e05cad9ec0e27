// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import DrydockProtocol
package import DrydockStore
import FoundationEssentials
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// JSON of `GET /api/v1/plugins`.
package typealias PluginList = @Sendable () async throws -> [UInt8]

/// Why the server should not be sent work now; nil = it should.
package typealias ReadinessCheck = @Sendable () async -> Failure?

/// Why the server does not run.
package enum DrydockServerError: Error, CustomStringConvertible {
    case portInUse(host: String, port: Int)
    case addressRefused(host: String, port: Int, reason: String)

    /// What, why, what to do.
    package var description: String {
        switch self {
        case .portInUse(let host, let port):
            "can not listen on \(host):\(port): another program does: stop it or choose another port with --listen"
        case .addressRefused(let host, let port, let reason):
            "can not listen on \(host):\(port): \(reason): choose an address of this machine with --listen"
        }
    }
}

/// HTTP API, `/ws`, the page and the static previews, over one store.
package struct DrydockServer: Service {
    private let store: any Store
    private let options: ServerOptions
    private let plugins: PluginList
    private let readiness: ReadinessCheck
    private let onListening: @Sendable (String, Int) async -> Void
    private let logger: Logger

    /// A server that listens once `run` is called.
    ///
    /// - Parameters:
    ///   - store: where builds are; shared with the worker's process.
    ///   - options: what the operator decided.
    ///   - plugins: gives the JSON of the plugin list, each time it is asked for.
    ///   - readiness: asked by `/readyz`.
    ///   - onListening: told the bound address and port.
    ///   - logger: gets what goes wrong.
    package init(
        store: any Store,
        options: ServerOptions,
        plugins: @escaping PluginList,
        readiness: @escaping ReadinessCheck = { nil },
        onListening: @escaping @Sendable (String, Int) async -> Void = { _, _ in },
        logger: Logger
    ) {
        self.store = store
        self.options = options
        self.plugins = plugins
        self.readiness = readiness
        self.onListening = onListening
        self.logger = logger
    }

    /// Serves until a graceful shutdown; viewers are sent away with 1012.
    ///
    /// Throws `DrydockServerError`.
    package func run() async throws {
        let connections = ConnectionLedger.most(of: descriptors())
        let checks = AccessChecks(options, store, connections: connections, now: Self.now, logger: logger)
        do {
            try await application(checks).run()
            await viewersLeft(checks.ledger)
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw DrydockServerError.portInUse(host: options.host, port: options.port)
        } catch let error as IOError where [EADDRNOTAVAIL, EACCES].contains(error.errnoCode) {
            throw DrydockServerError.addressRefused(
                host: options.host,
                port: options.port,
                reason: "\(error)"
            )
        }
    }

    /// Waits until viewers, who are sent away, are gone: what ran ends with its last request, and knows nothing of them.
    private func viewersLeft(_ ledger: ConnectionLedger) async {
        let end = ContinuousClock.now.advanced(by: options.shutdownPatience)
        while ledger.fileless > 0, ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The loops of all servers of the process, which live as long as it does.
    ///
    /// Half as many as there are processors: the builds whose lines they carry run on the same ones, and two loops that send to
    /// viewers at one time have those wait who read.
    private static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 2))

    /// How many descriptors there are.
    private func descriptors() -> Int {
        do {
            return try DescriptorLimit.raise()
        } catch {
            logger.warning("the limit of open files can not be raised: \(error)")
            return 1_024
        }
    }

    /// Everything put together, not listening yet.
    private func application(_ checks: AccessChecks) -> Application<RouterResponder<CallContext>> {
        var patience = RequestPace.Patience()
        patience.firstHead = TimeAmount(options.headPatience)
        patience.shutdown = TimeAmount(options.shutdownPatience)
        let metrics = ServerMetrics(MetricsRegistry())
        let hub = SessionHub(
            store: store,
            previewDomain: options.previewDomain,
            clock: Self.now,
            metrics: metrics,
            logger: logger
        )
        let makeWebSocket = webSockets(hub, checks)
        let operations = Operations(
            store: store,
            options: options,
            hub: hub,
            gate: checks.gate,
            plugins: plugins,
            readiness: readiness
        )
        return Application(
            responder: AppRouter.make(
                operations.all,
                checks: checks,
                preview: PreviewSite(store: store),
                metrics: metrics
            ),
            server: HTTPServerBuilder { [patience, options] http in
                let plain = DrydockChannel(
                    responder: http,
                    checks: checks,
                    patience: patience,
                    makeWebSocket: makeWebSocket
                )
                guard let certificate = options.certificate else { return plain }
                return SecureChannel(
                    responder: http,
                    http1: plain,
                    certificate: certificate,
                    patience: patience,
                    ledger: checks.ledger
                )
            },
            configuration: .init(
                address: .hostname(options.host, port: options.port),
                serverName: "drydock",
                backlog: 1_024
            ),
            services: [hub] + certificateWatch,
            onServerRunning: { [onListening, options] channel in
                await onListening(options.host, channel.localAddress?.port ?? options.port)
            },
            eventLoopGroupProvider: .shared(Self.eventLoops),
            logger: logger
        )
    }

    private var certificateWatch: [any Service] {
        guard let certificate = options.certificate else { return [] }
        return [
            CertificateWatch(certificate: certificate, interval: options.certificateInterval, logger: logger)
        ]
    }

    /// Makes the handler of each connection that becomes a WebSocket.
    private func webSockets(
        _ hub: SessionHub,
        _ checks: AccessChecks
    ) -> @Sendable (UpgradeGate.Opener, DeflateAgreement?) -> WebSocketHandler {
        let builds = BuildsAPI(store: store, options: options)
        let heartbeat = WebSocketHandler.Heartbeat(
            interval: TimeAmount(options.pingInterval),
            patience: TimeAmount(options.pongPatience)
        )
        let farewell = WebSocketHandler.Farewell(within: options.shutdownPatience)
        let (burst, rate) = (options.messageBurst, options.messagesPerSecond)
        let rooms: @Sendable (Caller) -> WebSocketRooms = { [store] caller in
            WebSocketRooms(
                hub: hub,
                builds: builds,
                store: store,
                clock: Self.now,
                rights: WebSocketRights(gate: checks.gate, audit: checks.audit, caller: caller)
            )
        }
        let terms = TokenWait.Terms(
            gate: checks.gate,
            patience: TimeAmount(options.tokenPatience),
            clock: Self.now,
            admit: { checks.ledger.attribute(to: $0) ? rooms($0) : nil },
            forget: { checks.ledger.forget($0) }
        )
        return { opener, deflate in
            let (delegate, longest): (any WebSocketDelegate, Int) =
                switch opener {
                case .caller(let caller): (rooms(caller), ClientMessage.longest)
                case .stranger(let address, let leave):
                    (TokenWait(terms, from: address, leaving: leave), TokenWait.longestMessage)
                }
            return WebSocketHandler(
                delegate: delegate,
                rules: .init(longestMessage: longest, heartbeat: heartbeat, farewell: farewell),
                allowance: MessageAllowance(burst: burst, perSecond: rate, now: .now()),
                encoder: hub.encoder,
                deflate: deflate
            )
        }
    }

    @Sendable private static func now() -> Timestamp { .now() }
}
