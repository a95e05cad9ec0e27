// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockStore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Brings connections and sessions together: one feed for each session that somebody watches.
final class SessionHub: Sendable, Service {
    typealias Feed = SessionFeed<Profile0Fold>

    /// Work for the hub's own task group.
    private enum Command: Sendable {
        case follow(Feed)
        case linger(Feed)
        case forget(Feed)
        case perform(@Sendable () async -> Void)
    }

    private struct Seat {
        var feed: Feed
        var connections = 0
        /// Whether its feed runs: from the session's first build on, so that names without any cost little.
        var isFollowed = false
    }

    /// How long a feed goes on without viewers, so that a reloaded page does not read the journal again.
    private static let linger = Duration.seconds(30)
    /// Least time between two messages about places in the queue.
    private static let queuePace = Duration.seconds(1)

    private let store: any Store
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger
    let metrics: ServerMetrics
    let encoder: FrameEncoder
    /// Those who are told in profile 1.
    private let streams: StreamHub
    /// Raised after every change of any build.
    let changed = ChangeSignal()
    private let feeds = Mutex<[SessionID: Seat]>([:])
    private let commands: AsyncStream<Command>
    private let post: AsyncStream<Command>.Continuation

    init(
        store: any Store,
        previewDomain: String,
        clock: @escaping @Sendable () -> Timestamp,
        metrics: ServerMetrics,
        logger: Logger
    ) {
        self.store = store
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
        // Unbounded by type, bounded by use: at most two for each connection.
        let (commands, post) = AsyncStream<Command>.makeStream(bufferingPolicy: .unbounded)
        (self.commands, self.post) = (commands, post)
        encoder = FrameEncoder()
        streams = StreamHub(
            store: store,
            teller: StreamTeller(encoder: encoder, clock: clock, previewDomain: previewDomain),
            metrics: metrics,
            logger: logger
        ) { work in post.yield(.perform(work)) }
    }

    /// What `/metrics` shows now.
    func report() async throws -> String {
        let counts = try await store.counts()
        let proof = try await store.latestProof()
        let now = clock()
        let feeds = feeds.withLock { $0.values.map(\.feed) }
        let lag = feeds.compactMap(\.stalledAt).min().map { now.since($0) } ?? .zero
        return metrics.text(
            counts,
            proof,
            sessions: feeds.count,
            lag: lag,
            await streams.report(),
            now: now
        )
    }

    /// Runs the feeds until the server shuts down.
    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.followStore() }
                group.addTask { await self.followQueue() }
                var running: [ObjectIdentifier: FeedTask] = [:]
                for await command in self.commands { self.carryOut(command, &group, &running) }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.post.finish()
        }
    }

    private func carryOut(
        _ command: Command,
        _ group: inout DiscardingTaskGroup,
        _ running: inout [ObjectIdentifier: FeedTask]
    ) {
        switch command {
        case .perform(let work): group.addTask { await work() }
        case .follow(let feed):
            // It may have been forgotten meanwhile.
            guard feeds.withLock({ $0[feed.room.session]?.feed === feed }) else { return }
            let task = FeedTask()
            running[ObjectIdentifier(feed)] = task
            group.addTask { await task.run(feed) }
        case .linger(let feed):
            // One that shows nothing has nothing to read again: names that a client made up cost no more than itself.
            guard feed.room.showing != nil else { return forget(feed, &running) }
            group.addTask {
                try? await Task.sleep(for: Self.linger)
                self.post.yield(.forget(feed))
            }
        case .forget(let feed): forget(feed, &running)
        }
    }

    private func forget(_ feed: Feed, _ running: inout [ObjectIdentifier: FeedTask]) {
        guard drop(feed) else { return }
        running.removeValue(forKey: ObjectIdentifier(feed))?.stop()
    }

    /// Forgets a feed that nobody came back to.
    private func drop(_ feed: Feed) -> Bool {
        feeds.withLock { feeds in
            guard let seat = feeds[feed.room.session], seat.feed === feed, seat.connections == 0 else {
                return false
            }
            feeds[feed.room.session] = nil
            return true
        }
    }

    // MARK: Connections

    /// Registers a connection for a session in profile 1; on its event loop.
    ///
    /// `refuse` tells it what it does not get of what it asked for.
    func register(
        _ connection: WebSocketHandler,
        for session: SessionID,
        _ wish: StreamWish,
        within reach: Reach,
        refuse: @escaping (String, String, BuildID?) -> Void
    ) {
        guard let loop = connection.eventLoop else { return }
        unregister(connection)
        connection.hold(.little)
        let viewer = StreamViewer(connection, session, hub: streams)
        connection.seat = .stream(viewer)
        let answer = NIOLoopBound(refuse, eventLoop: loop)
        let request = StreamHub.Request(wish: wish, reach: reach) { answer.value($0, $1, $2) }
        streams.enter(viewer, request, on: loop)
    }

    /// Registers a connection for a session in profile 0; on its event loop.
    func register(_ connection: WebSocketHandler, for session: SessionID) {
        guard let loop = connection.eventLoop else { return }
        if case .room(let feed)? = connection.seat, feed.room.session == session { return }
        unregister(connection)
        connection.hold(.much)
        let feed = feeds.withLock { feeds in
            var seat = feeds[session] ?? makeSeat(session)
            seat.connections += 1
            feeds[session] = seat
            return seat.feed
        }
        connection.seat = .room(feed)
        feed.room.join(connection, on: loop)
        feed.writable.raise()
    }

    /// Takes a connection out of its session; on its event loop.
    func unregister(_ connection: WebSocketHandler) {
        guard let seat = connection.seat, let loop = connection.eventLoop else { return }
        connection.seat = nil
        guard case .room(let feed) = seat else {
            if case .stream(let viewer) = seat { streams.leave(viewer) }
            return
        }
        feed.room.leave(connection, on: loop)
        feed.writable.raise()
        let isEmpty = feeds.withLock { feeds in
            feeds[feed.room.session]?.connections -= 1
            return feeds[feed.room.session]?.connections == 0
        }
        if isEmpty { post.yield(.linger(feed)) }
    }

    /// Does work that a connection asked for, outside its event loop.
    func perform(_ work: @escaping @Sendable () async -> Void) { post.yield(.perform(work)) }

    private func makeSeat(_ session: SessionID) -> Seat {
        let room = SessionRoom<Profile0Fold>(
            session: session,
            clock: clock,
            metrics: metrics,
            encoder: encoder
        )
        let feed = Feed(room: room, store: store, clock: clock, metrics: metrics, logger: logger)
        perform { await self.look(for: feed) }
        return Seat(feed: feed)
    }

    /// Has a feed run whose session has had a build.
    private func look(for feed: Feed) async {
        do {
            let filter = BuildFilter(session: feed.room.session, limit: 1)
            if try await !store.builds(filter).isEmpty { follow(feed) }
        } catch {
            // It looks again, and says what is wrong.
            follow(feed)
        }
    }

    private func follow(_ feed: Feed) {
        let isDue = feeds.withLock { feeds in
            guard let seat = feeds[feed.room.session], seat.feed === feed, !seat.isFollowed else {
                return false
            }
            feeds[feed.room.session]?.isFollowed = true
            return true
        }
        if isDue { post.yield(.follow(feed)) }
    }

    // MARK: The store

    /// Passes every change of a build on to its session's feed.
    private func followStore() async {
        var seen: Int64?
        while !Task.isCancelled {
            do {
                let bell = try store.changeBell()
                // What was before is nobody's news: a feed begins with a look of its own.
                var revision = if let seen { seen } else { try await store.counts().revision }
                defer { seen = revision }
                try await passOn(after: &revision)
                for await _ in bell { try await passOn(after: &revision) }
            } catch {
                logger.error("the store's changes can not be followed: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Tells those that wait their places, at most once in `queuePace`, whatever happens in between.
    private func followQueue() async {
        while !Task.isCancelled {
            let seen = changed.generation
            do {
                let rooms = feeds.withLock { $0.values.map(\.feed.room) }
                let waiting = rooms.compactMap { room in room.waiting.map { ($0, room) } }
                let positions = try await store.queuePositions(waiting.map(\.0) + streams.waiting)
                streams.tell(positions: positions)
                for (build, room) in waiting {
                    if let position = positions[build] { room.tell(position: position, of: build) }
                }
            } catch {
                logger.error("places in the queue can not be told: \(error)")
            }
            try? await Task.sleep(for: Self.queuePace)
            await changed.wait(after: seen)
        }
    }

    private func passOn(after revision: inout Int64) async throws {
        while true {
            let builds = try await store.changes(after: revision, limit: 500)
            for build in builds {
                revision = max(revision, build.revision)
                metrics.changed(build)
            }
            let feeds = feeds.withLock { feeds in builds.compactMap { feeds[$0.request.session]?.feed } }
            for feed in feeds {
                follow(feed)
                feed.changed.raise()
            }
            streams.changed(builds)
            if !builds.isEmpty { changed.raise() }
            if builds.count < 500 { return }
        }
    }
}

/// A feed's run that can be ended alone, inside a group that only ends as a whole.
private final class FeedTask: Sendable {
    private let ending = ChangeSignal()

    func stop() { ending.raise() }

    func run(_ feed: SessionHub.Feed) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await feed.run() }
            await self.ending.wait(after: 0)
            group.cancelAll()
        }
    }
}
