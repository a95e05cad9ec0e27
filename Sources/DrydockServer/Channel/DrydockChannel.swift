// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// A connection of the server: Hummingbird's HTTP, and the gate through which a request becomes a WebSocket.
struct DrydockChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let http: HTTP1Channel
    private let checks: AccessChecks
    private let patience: RequestPace.Patience
    private let makeWebSocket: @Sendable (UpgradeGate.Opener, DeflateAgreement?) -> WebSocketHandler

    init(
        responder: @escaping HTTPChannelHandler.Responder,
        checks: AccessChecks,
        patience: RequestPace.Patience,
        makeWebSocket: @escaping @Sendable (UpgradeGate.Opener, DeflateAgreement?) -> WebSocketHandler
    ) {
        // Connections that only wait are `RequestPace`'s to end: it knows whether the last answer was taken.
        var configuration = HTTP1Channel.Configuration(idleTimeout: nil)
        configuration.httpDecoder.maxHeaderListSize = 64 << 10
        configuration.httpDecoder.maxHeaderFieldCount = 100
        self.http = HTTP1Channel(responder: responder, configuration: configuration)
        self.checks = checks
        self.patience = patience
        self.makeWebSocket = makeWebSocket
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        speak(on: channel, logger: logger).flatMapThrowing { value in
            try prepare(channel)
            return value
        }
    }

    /// Counts a new connection, and sets what holds for all of them, whatever is spoken.
    func prepare(_ channel: any Channel) throws {
        try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
        try keepAlive(channel)
        try channel.syncOptions?.setOption(
            .writeBufferWaterMark,
            value: .init(low: 256 << 10, high: 1 << 20)
        )
        enter(channel)
    }

    /// Installs HTTP/1.1 and the gate; not a byte must be read before that is done.
    func speak(on channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        http.setup(channel: channel, logger: logger).flatMap { value in
            let replaced = channel.eventLoop.makePromise(of: Void.self)
            do {
                try installGate(channel, replaced)
            } catch {
                replaced.fail(error)
            }
            return replaced.futureResult.map { value }
        }
    }

    /// Enters the connection into the ledger, or closes it at once: what was promised to the others comes first.
    private func enter(_ channel: any Channel) {
        // A proxy's connections carry what many clients ask for.
        let isProxy = checks.proxies.trusts(channel.remoteAddress)
        let address = isProxy ? nil : TrustedProxies.address(channel.remoteAddress)
        guard checks.ledger.enter(address) else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [ledger = checks.ledger] _ in ledger.leave(address) }
    }

    func handle(value: Value, logger: Logger) async {
        await http.handle(value: value, logger: logger)
    }

    /// Has the kernel ask silent peers whether they are there: a stream with nothing to send would never hear that its
    /// client is gone, which looks like one that has said everything (man 7 tcp).
    private func keepAlive(_ channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.socketOption(.so_keepalive), value: 1)
        for (option, value) in [(TCP_KEEPIDLE, 30), (TCP_KEEPINTVL, 10), (TCP_KEEPCNT, 6)] {
            try options.setOption(.tcpOption(.init(rawValue: option)), value: .init(value))
        }
    }

    /// Puts a decoder that keeps the bytes after an upgrade in the place of Hummingbird's, and the gate behind it.
    ///
    /// `replaced` = the other one is gone, which it is a moment later.
    private func installGate(_ channel: any Channel, _ replaced: EventLoopPromise<Void>) throws {
        let pipeline = channel.pipeline.syncOperations
        let theirs = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = http.configuration.httpDecoder.maxHeaderListSize
        limits.maxHeaderFieldCount = http.configuration.httpDecoder.maxHeaderFieldCount
        let ours = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        )
        let door = UpgradeGate(checks: checks, decoder: ours, makeWebSocket: makeWebSocket)
        try pipeline.addHandlers(
            [ours, RequestPace(patience), LastBytes(), door],
            position: .after(theirs)
        )
        pipeline.removeHandler(theirs, promise: replaced)
    }
}
