// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import SystemPackage
import Testing

@testable import DrydockEgress

/// A proxy with one host behind it, both on this machine's loopback.
struct ProxyFixture: Sendable {
    let proxyPort: UInt16
    let host: TestHost
    let resolver: ScriptedResolver

    /// Names: `good.example` leads to the host, and is allowed on its port and on 443; `evil.example` leads there, and is
    /// not; `far.example` is allowed and has no address; others as the test says.
    static func with<Result>(
        rules: [String] = [],
        names: [String: [String]] = [:],
        answer: TestHost.Answer = .http,
        upstream: String? = nil,
        opaque: [String] = [],
        exempt: Bool = true,
        tls: NIOSSLContext? = nil,
        opened: (UInt16) throws -> OpenedHosts = { _ in .none },
        limit: ByteCount = LimitBounds.network.upperBound,
        _ body: (ProxyFixture) async throws -> Result
    ) async throws -> (Result, [NetworkUse]) {
        let host = try await TestHost.start(answer, tls)
        let loopback = try #require(AddressRange("127.0.0.0/8"))
        var table = [
            "good.example": ["127.0.0.1"], "evil.example": ["127.0.0.1"], "127-0-0-1.example": ["127.0.0.1"],
        ]
        table.merge(names) { _, new in new }
        let resolver = ScriptedResolver(table)
        let allowed =
            ["good.example:\(host.port)", "good.example:443", "far.example"]
            + rules.map { $0.replacing("PORT", with: "\(host.port)") }
        let policy = NetworkPolicy(try allowed.map { try NetworkRule(parsing: $0) })
        let all = Set(table.keys).union(["good.example"])
        var settings = NetworkSettings()
        if exempt { for name in all { settings.addresses[try HostName(name)] = [loopback] } }
        settings.opaque = try opaque.map {
            try NetworkRule(parsing: $0.replacing("PORT", with: "\(host.port)"))
        }
        settings.proxy = try upstream.map { try IndexURL(parsing: $0) }
        let (number, port) = try listener()
        let proxy = try await EgressProxy.start(
            at: [SystemPackage.FileDescriptor(rawValue: number)],
            doors: [.clients(.proxy)],
            policy: policy,
            settings: EgressSettings(settings, tools: ToolIndexes()),
            opened: try opened(host.port),
            limit: limit,
            resolver: resolver
        )
        let fixture = ProxyFixture(proxyPort: port, host: host, resolver: resolver)
        do {
            let result = try await body(fixture)
            let uses = await proxy.stop()
            await host.stop()
            return (result, uses)
        } catch {
            _ = await proxy.stop()
            await host.stop()
            throw error
        }
    }

    /// A socket that listens on a free port of the loopback's address, or of `number`.
    static func listener(_ number: UInt32 = 0x7F00_0001) throws -> (Int32, UInt16) {
        let made = socket(
            AF_INET,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue),
            0
        )
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = number.bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(made, address, size) == 0 && listen(made, 512) == 0
                    && getsockname(made, address, &size) == 0
            }
        }
        try #require(isListening)
        return (made, UInt16(bigEndian: address.sin_port))
    }

    /// What the proxy answers to `bytes`, until it closes, or `patience` is over; our side stays open.
    func ask(
        _ bytes: [UInt8],
        then more: [UInt8] = [],
        patience: Duration = .seconds(2)
    ) async throws -> [UInt8] {
        let client = try RawClient(port: proxyPort, patience: patience)
        return await Blocking.run {
            client.send(bytes)
            guard !more.isEmpty else { return client.readAll() }
            let first = client.read()
            client.send(more)
            return first + client.readAll()
        }
    }

    /// The first `count` bytes behind the tunnel's first answer to `bytes`.
    func tunnel(_ open: [UInt8], _ bytes: [UInt8], count: Int) async throws -> [UInt8] {
        let client = try RawClient(port: proxyPort, patience: .seconds(10))
        return await Blocking.run {
            client.send(open)
            _ = client.read()
            client.send(bytes)
            var all: [UInt8] = []
            while all.count < count, case let more = client.read(), !more.isEmpty { all += more }
            client.close()
            return all
        }
    }

    func ask(_ text: String, then more: [UInt8] = []) async throws -> String {
        String(decoding: try await ask(Array(text.utf8), then: more), as: UTF8.self)
    }
}

/// A name's addresses, said by the test, and how often each name was asked for.
final class ScriptedResolver: HostResolver {
    private let table: Mutex<[String: [String]]>
    private let asked = Mutex<[String: Int]>([:])

    init(_ table: [String: [String]]) { self.table = Mutex(table) }

    func addresses(of host: HostName) async -> [IPAddress] {
        asked.withLock { $0[host.text, default: 0] += 1 }
        return table.withLock { $0[host.text] ?? [] }.compactMap { IPAddress($0) }
    }

    func set(_ name: String, _ addresses: [String]) { table.withLock { $0[name] = addresses } }
    func count(_ name: String) -> Int { asked.withLock { $0[name] ?? 0 } }
}

/// A host on the loopback that keeps what it was sent.
final class TestHost: Sendable {
    enum Answer: Sendable {
        /// To each request's head: 200 with the body `ok`.
        case http
        /// To the first bytes: these, and nothing more.
        case bytes(String)
        /// All that comes, back.
        case echo
        /// To the first bytes: the end of the connection.
        case nothing
        /// To each request's head: these pieces, one by one, and the end of the connection.
        case pieces(@Sendable (_ request: String) -> [String])
    }

    private let channel: any Channel
    let port: UInt16

    private init(_ channel: any Channel, _ heard: Recorder) {
        self.channel = channel
        self.recorder = heard
        port = UInt16(channel.localAddress?.port ?? 0)
    }

    private let recorder: Recorder

    /// Everything that any connection sent.
    var received: String { String(decoding: recorder.bytes.withLock { $0 }, as: UTF8.self) }
    var connections: Int { recorder.connections.withLock { $0 } }

    static func start(_ answer: Answer, _ tls: NIOSSLContext? = nil) async throws -> TestHost {
        let recorder = Recorder()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 512)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(Handler(answer, recorder))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestHost(channel, recorder)
    }

    func stop() async { try? await channel.close() }

    final class Recorder: Sendable {
        let bytes = Mutex<[UInt8]>([])
        let connections = Mutex(0)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: Answer
        private let recorder: Recorder
        private var text = ""

        init(_ answer: Answer, _ recorder: Recorder) {
            self.answer = answer
            self.recorder = recorder
        }

        func channelActive(context: ChannelHandlerContext) { recorder.connections.withLock { $0 += 1 } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            recorder.bytes.withLock { $0 += bytes.readableBytesView }
            switch answer {
            case .nothing: context.close(promise: nil)
            case .echo: context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            case .bytes(let reply):
                if text.isEmpty {
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply)), promise: nil)
                }
                text = "answered"
            case .pieces(let reply):
                text += String(decoding: bytes.readableBytesView, as: UTF8.self)
                guard text.contains("\r\n\r\n") else { return }
                write(reply(text)[...], context)
            case .http:
                text += String(decoding: bytes.readableBytesView, as: UTF8.self)
                guard text.contains("\r\n\r\n") else { return }
                text = ""
                let reply = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
            }
        }

        private func write(_ pieces: ArraySlice<String>, _ context: ChannelHandlerContext) {
            guard let piece = pieces.first else { return context.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: piece)), promise: nil)
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(20)) {
                let (handler, context) = bound.value
                handler.write(pieces.dropFirst(), context)
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case ChannelEvent.inputClosed = event else { return }
            // A close throws away what waits to be written.
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
                channel.close(promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// A client that sends what it is told to, byte for byte.
struct RawClient: Sendable {
    private let descriptor: SystemPackage.FileDescriptor

    /// One end of a connection that is there already.
    init(taking number: Int32, patience: Duration) {
        descriptor = SystemPackage.FileDescriptor(rawValue: number)
        wait(at: patience)
    }

    /// Connects to the loopback's address, or to `address`.
    init(port: UInt16, at number: UInt32 = 0x7F00_0001, patience: Duration) throws {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = number.bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(made, $0, size) }
        }
        try #require(result == 0)
        descriptor = SystemPackage.FileDescriptor(rawValue: made)
        wait(at: patience)
    }

    /// Reads wait no longer.
    private func wait(at patience: Duration) {
        var time = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
        setsockopt(
            descriptor.rawValue,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &time,
            socklen_t(MemoryLayout<timeval>.size)
        )
    }

    /// Sends what is taken at once, and gives up the rest.
    func sendWithoutWaiting(_ bytes: [UInt8]) {
        _ = Glibc.send(descriptor.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }

    /// Closes with a reset.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func send(_ bytes: [UInt8]) {
        // One that was closed on us says so by what it answered before.
        _ = Glibc.send(descriptor.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    func endOutput() { shutdown(descriptor.rawValue, Int32(SHUT_WR)) }

    /// The next bytes; none at the end, or when the time is over.
    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor.rawValue, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer.prefix(count)) : []
    }

    /// All of them to the end, and closes.
    func readAll() -> [UInt8] {
        var all: [UInt8] = []
        while case let more = read(), !more.isEmpty { all += more }
        close()
        return all
    }

    func close() { try? descriptor.close() }
}
