// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockStore
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import SystemPackage

@testable import DrydockServer

/// `drydock-echo DIRECTORY`: sends back every message that comes to `/ws`, through the server's own channel and codec.
///
/// Listens on a free port of 127.0.0.1, prints it, and runs until it is ended. `DIRECTORY` is for a store without tokens.
@main
enum EchoMain {
    /// More than the longest message of the Autobahn|Testsuite, which has 16 MiB.
    private static let longestMessage = 32 << 20

    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            print("usage: drydock-echo DIRECTORY")
            exit(64)
        }
        let store = try EmbeddedStore(opening: FilePath(CommandLine.arguments[1]))
        var logger = Logger(label: "drydock-echo")
        logger.logLevel = .warning
        try await application(store, logger).run()
        try store.close()
    }

    private static func application(_ store: EmbeddedStore, _ logger: Logger) -> some ApplicationProtocol {
        let checks = AccessChecks(
            ServerOptions(),
            store,
            connections: 1_000,
            now: { .now() },
            logger: logger
        )
        let encoder = FrameEncoder()
        return Application(
            responder: Router(context: BasicRequestContext.self).buildResponder(),
            server: HTTPServerBuilder { http in
                DrydockChannel(
                    responder: http,
                    checks: checks,
                    patience: RequestPace.Patience(),
                    makeWebSocket: { _, deflate in
                        WebSocketHandler(
                            delegate: Echo(),
                            rules: .init(longestMessage: longestMessage, binary: .kept),
                            allowance: MessageAllowance(
                                burst: 1_000_000_000,
                                perSecond: 1_000_000_000,
                                now: .now()
                            ),
                            encoder: encoder,
                            deflate: deflate
                        )
                    }
                )
            },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                print(channel.localAddress?.port ?? 0)
                fflush(nil)
            },
            logger: logger
        )
    }
}

/// Says what it hears.
private struct Echo: WebSocketDelegate {
    func opened(_ connection: WebSocketHandler) {}
    func becameWritable(_ connection: WebSocketHandler) {}
    func closed(_ connection: WebSocketHandler) {}
    func wrote(bytes: Int) {}

    func received(_ input: WebSocketInput, from connection: WebSocketHandler) {
        switch input {
        case .text(let bytes): connection.send(.text, bytes)
        case .binary(let bytes): connection.send(.binary, bytes)
        case .emptyFragment, .ping, .pong, .close: break
        }
    }
}
