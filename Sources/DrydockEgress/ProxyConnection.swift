// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import NIOHTTP1
import NIOSSL

/// One client of the proxy: reads its requests, and opens a tunnel or passes each one on.
///
/// All of it happens on the client's event loop, which the connection to the host shares.
final class ProxyConnection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between two requests.
        case idle
        /// A request that is passed on.
        case passing(any AnsweredRequest)
        /// CONNECT, until the tunnel is open.
        case opening
        /// CONNECT to a host whose TLS ends here, until that is read to its end.
        case ending(EndedTLS)
        /// It was answered with a refusal; what it still sends is of no interest.
        case refused
    }

    private let egress: Egress
    private let handlers: ProxyHandlers
    private let meant: ProxyTarget?
    /// Whether the client speaks TLS, which ends here.
    private let isSecure: Bool
    private var state = State.idle
    private var isReadHeld = false
    /// The client has no more to say.
    private var hasEndedInput = false

    /// `meant` is the host of a client that knows of no proxy: each of its requests must be for that one.
    init(_ egress: Egress, _ handlers: ProxyHandlers, meant: ProxyTarget?, isSecure: Bool) {
        self.egress = egress
        self.handlers = handlers
        self.meant = meant
        self.isSecure = isSecure
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle):
            handlers.heads.isReading = false
            begin(head, context)
        case (.body(let bytes), .passing(let request)): request.send(bytes)
        case (.end, .passing(let request)):
            handlers.heads.isReading = true
            request.endBody()
        case (.end, .ending(let tls)):
            state = .opening
            handlers.heads.holdsEnd = true
            end(tls, context)
        case (.end, .opening), (_, .refused): break
        case (.head, _), (.body, _), (.end, _):
            // The order of the parts is the decoder's, one request at a time the pipeline handler's.
            context.close(promise: nil)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        do throws(Refusal) {
            try RequestRules.check(head)
            if head.method == .CONNECT, meant == nil {
                try open(try ProxyTarget(authority: head.uri), context)
            } else {
                try pass(head, context)
            }
        } catch {
            refuse(error, context)
        }
    }

    // MARK: Tunnels

    private func open(_ target: ProxyTarget, _ context: ChannelHandlerContext) throws(Refusal) {
        let rule = try egress.connector.rule(for: target)
        if let tls = egress.opened.tls(endingFor: target) {
            state = .ending(EndedTLS(target: target, tls: tls, egress: egress))
            return
        }
        state = .opening
        handlers.heads.holdsEnd = true
        let opening = context.eventLoop.makeFutureWithTask { [egress, loop = context.eventLoop] in
            try await egress.connector.tunnel(to: target, on: loop, for: egress)
        }
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        opening.whenComplete { result in
            let (connection, context) = bound.value
            switch result {
            case .success(let host) where channel.value.isActive:
                connection.answer(host, target, rule, context)
            case .success(let host):
                connection.egress.ledger.add(NetworkUse(target, rule))
                host.close(promise: nil)
            case .failure(let error): connection.refuse(Refusal(error, target), context)
            }
        }
    }

    // RFC 9110 section 9.3.6: no field of a success says anything of a body, as there is none.
    private static let opened = ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n")

    /// Opens a tunnel that ends here: each request in it is passed on by itself.
    private func end(_ tls: EndedTLS, _ context: ChannelHandlerContext) {
        let client = context.channel
        let isReady = client.eventLoop.makePromise(of: Void.self)
        isReady.futureResult.whenFailure { _ in client.close(promise: nil) }
        // Not from within the decoder, which is one of those that go.
        client.eventLoop.assumeIsolated().execute { [self] in
            do {
                try tls.prepare(client, after: isReady.futureResult)
            } catch {
                return isReady.fail(error)
            }
            leave(client)
                .flatMap { client.writeAndFlush(Self.opened) }
                .cascade(to: isReady)
        }
    }

    /// Tells the client that its tunnel is there, and leaves it to the tunnel.
    private func answer(
        _ host: any Channel,
        _ target: ProxyTarget,
        _ rule: NetworkRule,
        _ context: ChannelHandlerContext
    ) {
        let client = context.channel
        do {
            let tunnel = try Tunnel.prepare(to: target, by: rule, client, host, egress)
            let bound = NIOLoopBound(tunnel, eventLoop: client.eventLoop)
            leave(client).flatMap { client.writeAndFlush(Self.opened) }
                .whenComplete { result in
                    switch result {
                    case .success: bound.value.answered()
                    case .failure: client.close(promise: nil)
                    }
                }
        } catch {
            host.close(promise: nil)
            context.close(promise: nil)
        }
    }

    /// Leaves the client's pipeline; what it has sent meanwhile is for who comes behind.
    private func leave(_ client: any Channel) -> EventLoopFuture<Void> {
        let heads = NIOLoopBound(handlers.heads, eventLoop: client.eventLoop)
        return handlers.remove(with: self, from: client).map {
            if heads.value.hasEnded {
                client.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            } else {
                client.read()
            }
        }
    }

    // MARK: Requests

    private func pass(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) throws(Refusal) {
        let (target, path) = try destination(head)
        let standard: UInt16 = isSecure ? 443 : 80
        try RequestRules.checkHost(head, target, standardPort: standard)
        var request = ProxyRequest(
            target: target,
            rule: try egress.connector.rule(for: target),
            asked: head,
            passed: RequestRules.passedOn(head, to: target, path: path, standardPort: standard),
            isSecure: isSecure
        )
        request.secret = try egress.opened.secrets.secret(
            for: target,
            isSecure: isSecure,
            method: head.method.rawValue,
            path: path
        ).map { SecretRequest($0, for: target) }
        if let secret = request.secret { request.passed = try secret.passedOn(request.passed) }
        pass(request, path: path, context)
    }

    private func pass(_ request: ProxyRequest, path: String, _ context: ChannelHandlerContext) {
        let client = ProxyClient(connection: self, context: context)
        let loop = context.eventLoop
        // What a secret opened is nobody else's.
        if request.secret == nil, let cached = egress.opened.cached,
            let key = cached.key(of: request, path: path)
        {
            let kept = CachedRequest(key, of: cached, request, egress, for: client, on: loop)
            state = .passing(kept)
            kept.start()
        } else {
            let passed = PassedRequest(request, egress)
            state = .passing(passed)
            passed.start(for: client, on: loop)
        }
    }

    private func destination(_ head: HTTPRequestHead) throws(Refusal) -> (target: ProxyTarget, path: String) {
        guard let meant else { return try ProxyTarget.absolute(head.uri) }
        // An origin server gets the path alone (RFC 9112 section 3.2.1).
        if head.uri.hasPrefix("/") { return (meant, head.uri) }
        throw Refusal(.badRequest, meant, "was sent a request whose target is not a path")
    }

    /// A part of the host's answer.
    func answer(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(part), promise: nil)
    }

    /// The request is done with; what comes next is the next one, or the end.
    func endAnswer(keepAlive: Bool, _ context: ChannelHandlerContext) {
        // Before the write: while that is under way the next request comes, if it was sent already.
        let goesOn = keepAlive && !hasEndedInput
        state = goesOn ? .idle : .refused
        let end = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        resume(context)
        if !goesOn { close(context, after: end) }
    }

    /// Ends the connection once the client has what was written.
    private func close(_ context: ChannelHandlerContext, after end: EventLoopFuture<Void>) {
        end.assumeIsolated().whenComplete { [self] _ in
            if hasEndedInput { return context.close(promise: nil) }
            // Closed at once, what the client is still sending would have the kernel throw the answer away.
            context.close(mode: .output, promise: nil)
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
        }
    }

    /// Answers with a refusal, and ends the connection once that is read.
    func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        egress.ledger.add(refusal)
        if case .refused = state { return }
        state = .refused
        guard context.channel.isActive else { return }
        let text = ByteBuffer(string: refusal.text)
        var head = HTTPResponseHead(version: .http1_1, status: refusal.status)
        head.headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
        head.headers.add(name: "Content-Length", value: "\(text.readableBytes)")
        head.headers.add(name: "Connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
        let end = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        resume(context)
        close(context, after: end)
    }

    // MARK: The connection itself

    func read(context: ChannelHandlerContext) {
        switch state {
        case .passing(let request) where !request.takesMore: isReadHeld = true
        // It waits in the socket: nobody takes it yet.
        case .opening: isReadHeld = true
        case .idle, .passing, .ending, .refused: context.read()
        }
    }

    /// The host takes more of the request.
    func resume(_ context: ChannelHandlerContext) {
        guard isReadHeld else { return }
        if case .passing(let request) = state, !request.takesMore { return }
        isReadHeld = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .passing(let request) = state { request.resume() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .passing(let request) = state { request.abandon() }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is IdleStateHandler.IdleStateEvent: context.close(promise: nil)
        case ChannelEvent.inputClosed:
            hasEndedInput = true
            // A client that waits for its answer may have no more to say; one that waits for nothing has gone, and a tunnel
            // that nothing comes through is none.
            if case .passing = state { return }
            context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, case .idle = state {
            refuse(Refusal(.badRequest, host: "", "was sent a request that is none: \(error)"), context)
        } else {
            if let meant, case NIOSSLError.handshakeFailed = error {
                let why =
                    "was given up by its client in the TLS handshake: it may not trust this sandbox's authority"
                egress.ledger.add(Refusal(.unreachable, meant, why))
            }
            context.close(promise: nil)
        }
    }
}

extension Refusal {
    init(_ error: any Error, _ target: ProxyTarget) {
        self = error as? Refusal ?? Refusal(.unreachable, target, "can not be reached: \(error)")
    }

    var status: HTTPResponseStatus {
        switch kind {
        case .denied: .forbidden
        case .badRequest: .badRequest
        case .unreachable: .badGateway
        case .busy: .serviceUnavailable
        }
    }

    /// What the client reads; it may be shown in a log, so it says the same as the build's own record.
    var text: String {
        let name = EgressLedger.shown(host) + (port.map { ":\($0)" } ?? "")
        return "drydock: \(name.isEmpty ? "the request" : name) \(reason)\n"
    }
}
