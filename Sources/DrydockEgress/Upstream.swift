// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import FoundationEssentials
import NIOCore
import NIOExtras
import NIOHTTP1

/// The operator's own proxy, which stands between Drydock's and the hosts.
///
/// It looks the names up, so that what they lead to is its to vet; its own address is vetted as any other is.
struct Upstream: Hashable, Sendable {
    private static let patience = TimeAmount.seconds(20)

    let target: ProxyTarget
    /// The value of Proxy-Authorization (RFC 7617); nil where the address holds no password.
    private let authorization: String?
    /// The password in its spellings: it may stand in what the proxy answers by itself.
    let masks: [[UInt8]]
    /// Hosts whose addresses the operator named: they are near, and reached without it.
    private let spared: Set<HostName>

    init(_ url: IndexURL, sparing: Set<HostName>) {
        target = ProxyTarget(host: url.host, port: url.port)
        masks = url.userinfo.map { HostSecret.masks(of: .basic($0)) } ?? []
        authorization = url.userinfo.map { "Basic " + Data($0.utf8).base64EncodedString() }
        spared = sparing
    }

    /// Whether `host` is reached through it.
    func leads(to host: HostName) -> Bool { !spared.contains(host) }

    /// Makes a connection to the proxy one to `target`.
    ///
    /// Any thread; the channel reads nothing afterwards until it is told to.
    func tunnel(_ channel: any Channel, to target: ProxyTarget) async throws {
        let loop = channel.eventLoop
        let done = loop.makePromise(of: Void.self)
        let setUp = loop.submit {
            let encoder = HTTPRequestEncoder()
            let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
            let connect = NIOHTTP1ProxyConnectHandler(
                targetHost: target.host.text,
                targetPort: Int(target.port),
                headers: HTTPHeaders(fields),
                deadline: .now() + Self.patience,
                promise: done
            )
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers([encoder, decoder, connect, NIOCloseOnErrorHandler()])
            return NIOLoopBound((encoder, decoder), eventLoop: loop)
        }
        setUp.whenFailure(done.fail)
        do {
            let handlers = try await setUp.get()
            channel.read()
            try await done.futureResult.get()
            try await loop.flatSubmit {
                let (encoder, decoder) = handlers.value
                let pipeline = channel.pipeline.syncOperations
                return pipeline.removeHandler(decoder).and(pipeline.removeHandler(encoder)).map { _ in }
            }.get()
        } catch {
            channel.close(promise: nil)
            throw Refusal(
                .unreachable,
                target,
                "can not be reached through the operator's proxy: \(Self.why(error))"
            )
        }
    }

    private var fields: [(String, String)] { authorization.map { [("Proxy-Authorization", $0)] } ?? [] }

    /// The head of a request that it is to pass on.
    func passedOn(_ head: HTTPRequestHead, to target: ProxyTarget) -> HTTPRequestHead {
        var head = head
        // To a proxy the address is said whole (RFC 9112 section 3.2.2).
        let port = target.port == 80 ? "" : ":\(target.port)"
        head.uri = "http://\(target.host)\(port)\(head.uri)"
        for (name, value) in fields { head.headers.add(name: name, value: value) }
        // What is packed could not be looked through for the password.
        if authorization != nil { head.headers.replaceOrAdd(name: "Accept-Encoding", value: "identity") }
        return head
    }

    private static func why(_ error: any Error) -> String {
        let error = error as? NIOHTTP1ProxyConnectHandler.Error
        if error == .httpProxyHandshakeTimeout() { return "it did not answer in time" }
        if error == .proxyAuthenticationRequired() { return "it wants a password" }
        return "it refused, or closed the connection"
    }
}
