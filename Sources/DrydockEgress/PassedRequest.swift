// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import NIOHTTP1
import NIOSSL

/// One request that is passed on to its host, on a connection of its own, and the answer that comes back.
///
/// It is the last handler of the host's pipeline; all of it happens on the event loop of both.
final class PassedRequest: ChannelDuplexHandler, AnsweredRequest {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: ProxyRequest
    /// The answer must not show the secret that the request gets, nor the password of the operator's proxy, which may answer by itself.
    private var mask: SecretMask?
    private let egress: Egress
    private let begun = NIODeadline.now()
    /// Parts that came before there was a connection: what one read had brought.
    private var waiting: [HTTPClientRequestPart] = []
    private var host: ChannelHandlerContext?
    private var client: (any AnswerTaker)?
    private var answer: HTTPResponseHead?
    private var hasWholeBody = false
    private var isReadHeld = false
    private var isConnected = false
    /// Whether it stands in the ledger.
    private var isOver = false
    private var sent: Int64 = 0
    private var received: Int64 = 0

    init(_ request: ProxyRequest, _ egress: Egress) {
        self.request = request
        self.egress = egress
    }

    private var target: ProxyTarget { request.target }

    /// Connects, on the event loop of the client; who gets the answer, or a refusal.
    func start(for client: any AnswerTaker, on loop: any EventLoop) {
        self.client = client
        // In a tunnel the proxy in front reads nothing.
        let upstream = request.isSecure ? nil : egress.connector.upstream(for: target.host)
        let masks = (request.secret?.masks ?? []) + (upstream?.masks ?? [])
        mask = masks.isEmpty ? nil : SecretMask(masks)
        waiting = [.head(upstream?.passedOn(request.passed, to: target) ?? request.passed)]
        let this = NIOLoopBound(self, eventLoop: loop)
        let (connector, egress, target, isSecure) = (egress.connector, egress, target, request.isSecure)
        loop.makeFutureWithTask {
            guard isSecure else {
                return try await connector.requests(to: target, on: loop, for: egress) { channel in
                    channel.eventLoop.makeCompletedFuture { try this.value.speakHTTP(channel) }
                }
            }
            let channel = try await connector.tunnel(to: target, on: loop, for: egress)
            do {
                try await loop.submit {
                    guard let tls = egress.opened.tls(endingFor: target) else {
                        throw NIOSSLError.failedToLoadCertificate
                    }
                    try channel.pipeline.syncOperations.addHandler(try tls.client(for: target.host))
                    try this.value.speakHTTP(channel)
                }.get()
            } catch {
                channel.close(promise: nil)
                throw error
            }
            return channel
        }.whenComplete { result in
            switch result {
            case .success(let channel): this.value.connected(channel)
            case .failure(let error): this.value.fail(Refusal(error, target))
            }
        }
    }

    private func speakHTTP(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
        try pipeline.addHandler(self)
    }

    // MARK: From the client

    /// Whether more of the request's body may be read.
    var takesMore: Bool { isConnected && host?.channel.isWritable == true }

    func send(_ bytes: ByteBuffer) {
        sent += Int64(bytes.readableBytes)
        pass(.body(.byteBuffer(bytes)))
    }

    func endBody() {
        hasWholeBody = true
        pass(.end(nil))
    }

    /// The client takes more of the answer.
    func resume() {
        guard isReadHeld else { return }
        isReadHeld = false
        host?.read()
    }

    /// The client is gone.
    func abandon() {
        client = nil
        finish()
        host?.close(promise: nil)
    }

    private func pass(_ part: HTTPClientRequestPart) {
        // Before the head nothing goes out: it would be a request of its own.
        guard isConnected, let host else { return waiting.append(part) }
        host.writeAndFlush(wrapOutboundOut(part), promise: nil)
    }

    private func connected(_ channel: any Channel) {
        isConnected = true
        guard client != nil, let host else {
            finish()
            return channel.close(promise: nil)
        }
        for part in waiting { host.write(wrapOutboundOut(part), promise: nil) }
        waiting = []
        host.flush()
        channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
        client?.resumeRequest()
    }

    // MARK: From the host

    func handlerAdded(context: ChannelHandlerContext) { host = context }
    func handlerRemoved(context: ChannelHandlerContext) { host = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let client else { return }
        switch unwrapInboundIn(data) {
        case .head(let head) where head.status == .switchingProtocols:
            fail(Refusal(.unreachable, target, "answered with another protocol"))
        case .head(let head): answer(head, client)
        case .body(let bytes):
            received += Int64(bytes.readableBytes)
            let shown = mask?.pass(bytes) ?? bytes
            client.add(shown)
        case .end:
            if let rest = mask?.end(), rest.readableBytes > 0 { client.add(rest) }
            guard let answer else { return context.close(promise: nil) }
            // With a part of the request still to come, the next one could not be told from it.
            let goesOn = hasWholeBody && RequestRules.keepsAlive(request.asked, answer)
            finish()
            self.client = nil
            client.end(keepAlive: goesOn)
            context.close(promise: nil)
        }
    }

    private func answer(_ original: HTTPResponseHead, _ client: any AnswerTaker) {
        var head = original
        do throws(Refusal) {
            try RequestRules.checkAnswer(original, of: target)
            if let secret = request.secret { head = try secret.passedBack(head) }
        } catch {
            return fail(error)
        }
        if let mask { head = mask.masked(head) }
        let answer = RequestRules.passedBack(head, to: request.asked)
        self.answer = answer
        client.begin(answer, from: original)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        client?.flush()
    }

    func read(context: ChannelHandlerContext) {
        if client?.isWritable ?? true { context.read() } else { isReadHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { client?.resumeRequest() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(Refusal(.unreachable, target, "ended the connection before its answer was whole"))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // An answer that ends with its connection has ended before this.
        if case ChannelEvent.inputClosed = event {
            fail(Refusal(.unreachable, target, "ended the connection before its answer was whole"))
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let limit = (error as? NetworkAllowance.Spent)?.refusal(of: target)
        fail(limit ?? Refusal(.unreachable, target, Self.words(error)))
        context.close(promise: nil)
    }

    private static func words(_ error: any Error) -> String {
        if case NIOSSLError.handshakeFailed = error {
            return "has no certificate that the operator's roots vouch for"
        }
        if error is NIOSSLExtraError { return "has a certificate of another name" }
        return error is NIOSSLError || error is BoringSSLError
            ? "broke the TLS connection off" : "did not answer as HTTP demands"
    }

    private func fail(_ refusal: Refusal) {
        guard let client else {
            if !isConnected { write(refusal) }
            return
        }
        self.client = nil
        if answer == nil {
            isOver = true
            client.refuse(refusal)
        } else {
            finish()
            if refusal.kind == .denied { egress.ledger.add(refusal) }
            client.cutOff()
        }
        host?.close(promise: nil)
    }

    /// Writes down that it never came to a request, of a client that has not waited for the answer.
    private func write(_ refusal: Refusal) {
        guard !isOver else { return }
        isOver = true
        egress.ledger.add(refusal)
    }

    /// Writes down what went through.
    private func finish() {
        guard !isOver, isConnected else { return }
        isOver = true
        egress.ledger.add(
            NetworkUse(
                host: target.host.text,
                port: target.port,
                verdict: .allowed(
                    rule: request.secret == nil ? "\(request.rule)" : "\(request.rule), with a secret"
                ),
                sent: ByteCount(sent),
                received: ByteCount(received),
                duration: .nanoseconds((NIODeadline.now() - begun).nanoseconds)
            )
        )
    }
}
