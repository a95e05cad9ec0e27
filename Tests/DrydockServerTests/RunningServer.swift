// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import FoundationEssentials
import GRDB
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization
import SystemPackage

@testable import DrydockServer
@testable import DrydockStore

#if canImport(Glibc)
import Glibc
#endif

/// A server on a free loopback port over a store of its own, for the length of `body`.
func withServer(
    _ change: (inout ServerOptions) -> Void = { _ in },
    storing changeStore: (inout EmbeddedStore.Options) -> Void = { _ in },
    readiness: @escaping ReadinessCheck = { nil },
    _ body: @escaping @Sendable (RunningServer) async throws -> Void
) async throws {
    let directory = try makeDirectory()
    defer { removeTree(directory) }
    var storeOptions = EmbeddedStore.Options()
    storeOptions.durability = .relaxed
    let damage = NoticedDamage()
    storeOptions.onDamage = { damage.add($0) }
    changeStore(&storeOptions)
    let store = try EmbeddedStore(opening: FilePath(directory).appending("data"), storeOptions)
    var options = ServerOptions(port: 0)
    change(&options)
    let (ports, post) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = DrydockServer(
        store: store,
        options: options,
        plugins: { Array(#"{"plugins":[]}"#.utf8) },
        readiness: readiness,
        onListening: { _, port in post.yield(port) },
        logger: logger
    )
    let services = ServiceGroup(services: [server], logger: logger)
    let (stops, stop) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (ends, end) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer {
                post.finish()
                end.finish()
            }
            do { try await services.run() } catch is CancellationError {}
        }
        group.addTask { for await _ in stops { await services.triggerGracefulShutdown() } }
        for await port in ports {
            try await body(RunningServer(port: port, store: store, damage: damage, stop: stop, ends: ends))
            break
        }
        group.cancelAll()
        try await group.waitForAll()
    }
    try store.close()
}

private func makeDirectory() throws -> String {
    var template = Array("/tmp/drydock-server-tests-XXXXXX\0".utf8CString.dropLast())
    let made = template.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let made else { throw Errno(rawValue: errno) }
    return made
}

private func removeTree(_ path: String) {
    guard path.hasPrefix("/tmp/drydock-server-tests-") else { return }
    // Left behind at worst, under /tmp.
    try? FileManager.default.removeItem(atPath: path)
}

/// What the server's store could not read.
final class NoticedDamage: Sendable {
    private let noticed = Mutex<[StoreDamage]>([])

    var all: [StoreDamage] { noticed.withLock { $0 } }

    func add(_ damage: StoreDamage) { noticed.withLock { $0.append(damage) } }
}

/// What the tests know about the server.
struct RunningServer: Sendable {
    let port: Int
    let store: EmbeddedStore
    let damage: NoticedDamage
    fileprivate let stop: AsyncStream<Void>.Continuation
    fileprivate let ends: AsyncStream<Void>

    /// Asks for a graceful shutdown.
    func shutDown() { stop.yield() }

    /// Returns when the server has ended.
    func ended() async { for await _ in ends {} }

    /// Opens a connection, gives it to `body` and closes it.
    ///
    /// The kernel takes `room` bytes for a client that does not read; nil = as many as it likes. `tls` = TLS is spoken.
    func connect<Result: Sendable>(
        room: Int? = nil,
        over tls: NIOSSLContext? = nil,
        _ body: @escaping @Sendable (RawClient) async throws -> Result
    ) async throws -> Result {
        var client = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let room { client = client.channelOption(.socketOption(.so_rcvbuf), value: .init(room)) }
        let channel =
            try await client
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(RawClient(inbound: inbound, outbound: outbound))
        }
    }

    /// One request on a connection of its own.
    func request(
        _ method: String,
        _ target: String,
        headers: [String: String] = [:],
        body: [UInt8] = []
    ) async throws -> RawResponse {
        try await connect { client in
            try await client.request(method, target, headers: headers, body: body)
            return try await client.response(toHead: method == "HEAD")
        }
    }

    /// A `/ws` connection that has registered for `session`.
    func watch<Result: Sendable>(
        _ session: String,
        as type: String = "INIT",
        offering extensions: String? = nil,
        _ body: @escaping @Sendable (RawClient) async throws -> Result
    ) async throws -> Result {
        try await connect { client in
            try await client.upgrade(offering: extensions)
            try await client.say(#"{"type":"\#(type)","session_id":"\#(session)"}"#)
            // The answer shows that the registration was read before.
            try await client.say(#"{"type":"PING"}"#)
            let early = try await client.messages(until: "PONG")
            await client.unread(early.dropLast())
            return try await body(client)
        }
    }

    // MARK: A worker's part

    func enqueue(_ session: String, title: String = "t") async throws -> Build {
        return try await store.enqueue(
            BuildRequest(
                session: SessionID(rawValue: session),
                project: ProjectName(rawValue: session),
                source: .archive(try store.keep(title.utf8)),
                trigger: .api,
                title: title
            )
        )
    }

    /// Leases the next build and lets `events` follow, each appended by itself.
    func begin() async throws -> Work {
        guard let lease = try await store.lease(to: WorkerID(rawValue: "w")) else { throw Errno.notFound }
        let work = Work(store: store, lease: lease, journal: try await store.journal(lease))
        try work.append(.started(Started(number: lease.number, level: .full, missing: [])))
        try await store.move(lease, to: .running)
        return work
    }
}

extension EmbeddedStore {
    /// Overwrites what was asked for with something that does not decode, as a disk might.
    func damageRow(of build: BuildID) async throws {
        try await database.write { db in
            let sql = "UPDATE builds SET request = CAST('{' AS BLOB) WHERE id = ?"
            try db.execute(sql: sql, arguments: [build.rawValue])
        }
    }

    /// Lets nothing into the audit any more, as a full disk might.
    func refuseRecords() async throws {
        try await database.write { db in
            let sql =
                "CREATE TRIGGER refused BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END"
            try db.execute(sql: sql)
        }
    }
}

extension Errno {
    static let notFound = Errno.noSuchFileOrDirectory
}

/// A leased build.
struct Work: Sendable {
    let store: EmbeddedStore
    let lease: Lease
    let journal: any JournalWriter

    func append(_ events: Event...) throws { try journal.append(events, via: .host, step: nil) }

    func log(_ lines: [String]) throws {
        try journal.append(lines.map { .log(LogLine(stream: .out, text: $0)) }, via: .observed, step: nil)
    }

    /// Overwrites the journal's first bytes, as a disk might.
    func damageStart() throws {
        let segment = store.directory.segment(lease.build.id, lease.attempt)
        let file = try FileDescriptor.open(segment, .writeOnly)
        try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: 0, "???".utf8) }
    }

    func finish(
        _ outcome: Outcome = .succeeded,
        artifacts: [Artifact] = [],
        preview: PreviewReady? = nil
    ) async throws {
        try append(.finished(Finished(outcome: outcome, duration: .milliseconds(1_500))))
        try journal.sync()
        try journal.close()
        try await store.move(lease, to: .finishing)
        try await store.finish(lease, outcome, artifacts: artifacts, preview: preview)
    }

    /// Keeps `text` as an artifact's content.
    func artifact(_ path: String, _ text: String) throws -> Artifact {
        let size = ByteCount(Int64(text.utf8.count))
        return Artifact(
            path: path,
            digest: try store.keep(text.utf8),
            size: size,
            role: .site,
            executable: false
        )
    }
}
