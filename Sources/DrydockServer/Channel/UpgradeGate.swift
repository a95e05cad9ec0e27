// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTP1

/// Told to the HTTP half of a connection that became a WebSocket, so that its task ends.
struct ConnectionTakenOver: Error {}

/// Stands between the HTTP codec and Hummingbird: turns any request of a connection into a WebSocket, not only the
/// first, after its body was read and the answers before it were sent.
///
/// NIO's decoder stops for good after a request that asked for an upgrade. One that is not taken is therefore answered
/// as usual and the connection closed after the answer: `curl --http2` would wait for ever otherwise.
final class UpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Requests go through.
        case passing
        /// A request for a WebSocket came; its body is read and thrown away.
        case reading(HTTPRequestHead)
        /// It came whole and waits for the answers before it.
        case ready(HTTPRequestHead)
        /// Its token is looked at.
        case judging
        /// The decoder stops after this request: the connection ends with the answers that are due.
        case ending(isWhole: Bool)
        /// The last answer went out; what the client still sends is thrown away, for a moment.
        case draining
        /// It is a WebSocket, or closed.
        case done
    }

    /// Who opens a WebSocket.
    enum Opener: Sendable {
        case caller(Caller)
        /// Somebody at this address who has shown no token yet, and what is to be done when that is over.
        case stranger(String, leaving: @Sendable () -> Void)
    }

    private let checks: AccessChecks
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let makeWebSocket: (Opener, DeflateAgreement?) -> WebSocketHandler
    private var state = State.passing
    /// Requests that have not been answered in full.
    private var unanswered = 0

    init(
        checks: AccessChecks,
        decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        makeWebSocket: @escaping (Opener, DeflateAgreement?) -> WebSocketHandler
    ) {
        self.checks = checks
        self.decoder = decoder
        self.makeWebSocket = makeWebSocket
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        // The decoder has stopped, or ends with this request: nobody would answer what came behind it.
        case (_, .draining), (_, .ready), (_, .judging), (_, .done), (_, .ending(isWhole: true)),
            (.head, .reading), (.body, .reading):
            break
        case (.head(let head), _): receive(head, context)
        case (.end, .reading(let head)):
            state = .ready(head)
            takeIfDue(context)
        case (.end, .ending):
            state = .ending(isWhole: true)
            context.fireChannelRead(data)
        default: context.fireChannelRead(data)
        }
    }

    func read(context: ChannelHandlerContext) {
        // What follows a request that stopped the decoder would only pile up before it.
        switch state {
        case .passing, .reading, .draining, .ending(isWhole: false): context.read()
        case .ready, .judging, .ending, .done: break
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where isEnding && unanswered == 1 && head.status.code >= 200:
            head.headers.replaceOrAdd(name: "connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head(let head) where unanswered == 1 && head.headers["connection"].contains("close"):
            // Hummingbird only heeds the client's wish: what is left of a refused body is not read to its end.
            if case .passing = state { state = .ending(isWhole: false) }
            context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            finish(data, promise, context)
        default:
            context.write(data, promise: promise)
        }
    }

    private var isEnding: Bool {
        guard case .ending = state else { return false }
        return true
    }

    private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var head = head
        if head.headers["host"].count > 1 {
            // Whoever stands in front may have read the other one (RFC 9112, section 3.2): answered as if there was none.
            head.headers.replaceOrAdd(name: "host", value: "")
        }
        if UpgradeRequest.isMeant(head) {
            state = .reading(head)
            return
        }
        // A client of HTTP/1.0 knows the end of the answer by the end of the connection.
        if UpgradeRequest.stopsDecoder(head) || head.version == .http1_0 {
            state = .ending(isWhole: false)
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        if head.headers.first(name: "expect")?.lowercased() == "100-continue", unanswered == 0 {
            let go = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
        }
        unanswered += 1
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private func finish(_ end: NIOAny, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        guard unanswered == 0 else { return context.write(end, promise: promise) }
        switch state {
        case .ending:
            context.writeAndFlush(end, promise: promise)
            drain(context)
        case .ready:
            context.write(end, promise: promise)
            takeIfDue(context)
        case .passing, .reading, .judging, .draining, .done:
            context.write(end, promise: promise)
        }
    }

    /// Closes our half, once the answer went out (`LastBytes`), and, a little later, the other: closing at once, with bytes
    /// unread, would reset the connection, and the answer could be lost.
    private func drain(_ context: ChannelHandlerContext) {
        if case .ending(isWhole: true) = state { state = .done } else { state = .draining }
        let closed = context.eventLoop.makePromise(of: Void.self)
        context.close(mode: .output, promise: closed)
        closed.futureResult.assumeIsolated().whenComplete { _ in
            _ = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
                context.close(promise: nil)
            }
        }
    }

    private func takeIfDue(_ context: ChannelHandlerContext) {
        guard case .ready(let head) = state, unanswered == 0 else { return }
        let facts = checks.proxies.facts(context.channel.remoteAddress, head.headers.first(name: "host")) {
            head.headers[$0]
        }
        let request = UpgradeRequest(head: head, facts: facts)
        do throws(Problem) {
            let headers = try request.answer(checks.access)
            judge(request, try request.ticket(), headers, context)
        } catch {
            refuse(context, error)
        }
    }

    /// Asks for the token's right, which the store knows, and then takes the request or refuses it.
    private func judge(
        _ request: UpgradeRequest,
        _ ticket: String?,
        _ answer: UpgradeRequest.Answer,
        _ context: ChannelHandlerContext
    ) {
        state = .judging
        let (token, hasCredentials, facts) = (request.token, request.hasCredentials, request.facts)
        let admitted = context.eventLoop.makeFutureWithTask { [gate = checks.gate] () -> Caller? in
            if let ticket { return try await gate.admit(ticket: ticket, for: .read, from: facts.place) }
            if !hasCredentials, try await gate.asksForToken() { return nil }
            return try await gate.admit(token, for: .read, from: facts.place)
        }
        admitted.assumeIsolated().whenComplete { [self] result in
            // The connection may have gone meanwhile.
            guard case .judging = state else { return }
            switch result {
            case .success(let caller): seat(context, answer, caller, facts.address)
            case .failure(let refusal as Refusal): refuse(context, refusal.problem)
            case .failure(let error): refuse(context, Problem(explaining: error))
            }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { state = .done }

    /// Counts the connection for whose it is, and takes the request where theirs are not enough already.
    private func seat(
        _ context: ChannelHandlerContext,
        _ answer: UpgradeRequest.Answer,
        _ caller: Caller?,
        _ address: IPAddress?
    ) {
        let (ledger, waiting) = (checks.ledger, checks.waiting)
        if checks.proxies.trusts(context.channel.remoteAddress) {
            guard ledger.attribute(to: address) else { return refuse(context, .tooManyConnections) }
            context.channel.closeFuture.whenComplete { _ in ledger.forget(address) }
        }
        if let caller {
            guard ledger.attribute(to: caller) else { return refuse(context, .tooManyConnections) }
            context.channel.closeFuture.whenComplete { _ in ledger.forget(caller) }
            return take(context, answer, .caller(caller))
        }
        guard waiting.enter(address) else { return refuse(context, .tooManyConnections) }
        let place = address?.description ?? "local"
        take(context, answer, .stranger(place) { waiting.leave(address) })
    }

    private func take(_ context: ChannelHandlerContext, _ answer: UpgradeRequest.Answer, _ opener: Opener) {
        state = .done
        // What it is told comes from memory, or in its turn from one of few journals that are open for all.
        checks.ledger.keepsNoFile()
        context.channel.closeFuture.whenComplete { [ledger = checks.ledger] _ in ledger.takesBackRoom() }
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: answer.headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        do {
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            let watch = try pipeline.context(handlerType: HTTPConnectionStateHandler.self)
            let pace = try pipeline.context(handlerType: RequestPace.self)
            let last = try pipeline.context(handlerType: LastBytes.self)
            // Directly behind the decoder, which hands it the bytes that came after the request.
            try pipeline.addHandler(makeWebSocket(opener, answer.deflate), position: .after(decoder))
            // Reads that were asked for while the token was looked at were held back.
            context.read()
            context.fireErrorCaught(ConnectionTakenOver())
            pipeline.removeHandler(context: encoder, promise: nil)
            pipeline.removeHandler(context: watch, promise: nil)
            pipeline.removeHandler(context: pace, promise: nil)
            pipeline.removeHandler(context: last, promise: nil)
            pipeline.removeHandler(context: context, promise: nil)
            pipeline.removeHandler(decoder, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ problem: Problem) {
        let body = problem.body
        var headers = HTTPHeaders(problem.headers.map { ($0.name, $0.value) })
        headers.add(name: "content-length", value: "\(body.readableBytes)")
        headers.add(name: "connection", value: "close")
        let status = HTTPResponseStatus(statusCode: problem.status)
        context.write(
            wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))),
            promise: nil
        )
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        state = .ending(isWhole: true)
        drain(context)
    }
}

@available(*, unavailable)
extension UpgradeGate: Sendable {}
