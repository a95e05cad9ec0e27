// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockStore
import Logging
import NIOCore
import Synchronization

/// Brings viewers of wire profile 1 and builds together: one stream for each build that somebody watches.
final class StreamHub: Sendable {
    private struct Seat {
        let stream: BuildStream
        var uses = 0
        /// Somebody looks soon whether it is still needed.
        var isLingering = false
    }

    /// A viewer that is told of what its session begins.
    private struct Watcher {
        let viewer: NIOLoopBound<StreamViewer>
        /// When it began to watch: what was accepted later is told from its start, what was before is looked for.
        let since: Timestamp
        /// Builds that it knows a place in.
        let named: Set<BuildID>
        /// What was there before was looked for.
        var hasBegun = false

        func wants(_ build: Build) -> Bool {
            let isNew = build.createdAt >= since || (hasBegun && !build.state.isTerminal)
            return isNew && !named.contains(build.id)
        }
    }

    private struct State {
        var streams: [BuildID: Seat] = [:]
        var watchers: [SessionID: [ObjectIdentifier: Watcher]] = [:]
    }

    /// How long a stream is kept that nobody watches, so that a reloaded page does not read the journal again.
    private static let linger = Duration.seconds(30)
    /// Viewers that read the journal at one time; each holds a file open meanwhile.
    private static let readers = 32
    /// Builds that a viewer is told of who was away for long.
    private static let mostMissed = 50

    private let store: any Store
    private let teller: StreamTeller
    private let metrics: ServerMetrics
    private let logger: Logger
    private let perform: @Sendable (@escaping @Sendable () async -> Void) -> Void
    private let turnstile = Turnstile(places: StreamHub.readers)
    private let state = Mutex(State())

    /// `perform` runs work until the server ends.
    init(
        store: any Store,
        teller: StreamTeller,
        metrics: ServerMetrics,
        logger: Logger,
        perform: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.store = store
        self.teller = teller
        self.metrics = metrics
        self.logger = logger
        self.perform = perform
    }

    // MARK: Viewers

    /// Tells a client, on its event loop, that it does not get what it asked for: code, sentence, and of which build.
    typealias Refuse = @Sendable (String, String, BuildID?) -> Void

    /// What a viewer wants to watch, and what it may.
    struct Request: Sendable {
        var wish: StreamWish
        /// Where it is one build, nothing is told of what else the session does.
        var reach: Reach
        let refuse: Refuse
    }

    /// Seats a viewer, and finds what it is to watch; on its event loop.
    func enter(_ viewer: StreamViewer, _ request: Request, on loop: any EventLoop) {
        let bound = NIOLoopBound(viewer, eventLoop: loop)
        let id = ObjectIdentifier(viewer)
        let (session, since, isOver) = (viewer.session, teller.clock(), viewer.isOver)
        // First: what is accepted from here on is told, what was before is found by the look that follows.
        if request.reach.build == nil {
            let watcher = Watcher(viewer: bound, since: since, named: Set(request.wish.positions.keys))
            state.withLock { $0.watchers[session, default: [:]][id] = watcher }
        }
        perform {
            do {
                try await self.turnstile.pass {
                    try await self.begin(bound, in: session, request, until: isOver)
                    guard request.reach.build == nil else { return }
                    // Once more behind the first look: one that was about to be accepted is found now, or heard of.
                    for look in 1...2 where !isOver.value {
                        try await self.beginOthers(bound, in: session, since: since, request.wish)
                        if look == 1 { self.noteBegun(id, in: session) }
                    }
                }
            } catch {
                self.logger.error("a viewer's builds: \(error)", metadata: ["session": "\(session)"])
                let problem = Problem(explaining: error)
                loop.execute { request.refuse(problem.code, problem.detail, nil) }
            }
        }
    }

    private func noteBegun(_ viewer: ObjectIdentifier, in session: SessionID) {
        state.withLock { $0.watchers[session]?[viewer]?.hasBegun = true }
    }

    /// A viewer was sent a message.
    func sent() { metrics.sent(messages: 1) }

    /// Lets a viewer go; on its event loop.
    func leave(_ viewer: StreamViewer) {
        state.withLock { state in
            state.watchers[viewer.session]?[ObjectIdentifier(viewer)] = nil
            if state.watchers[viewer.session]?.isEmpty ?? false { state.watchers[viewer.session] = nil }
        }
        viewer.end()
    }

    /// Begins with the builds that are named, and with the one that may be seen where there are no others.
    private func begin(
        _ viewer: NIOLoopBound<StreamViewer>,
        in session: SessionID,
        _ request: Request,
        until isOver: SetOnce
    ) async throws {
        let positions = request.wish.positions
        let named = (request.reach.build.map { [$0] } ?? positions.keys.sorted()).map { ($0, positions[$0]) }
        for (id, position) in named {
            // Whoever went, or asked for something else, is not worked for.
            guard !isOver.value else { return }
            guard let build = try await store.build(id), build.request.session == session else {
                viewer.eventLoop.execute {
                    request.refuse("build_unknown", "the session has no build \(id)", id)
                }
                continue
            }
            guard let position else {
                follow(build, from: request.wish.wantsAll ? .after(nil) : .now, viewer)
                continue
            }
            follow(build, from: await start(position, of: build), viewer)
        }
    }

    private func beginOthers(
        _ viewer: NIOLoopBound<StreamViewer>,
        in session: SessionID,
        since: Timestamp,
        _ wish: StreamWish
    ) async throws {
        for build in try await others(session, wish) {
            let isNew = build.createdAt >= since || (wish.since.map { $0 < build.id } ?? false)
            follow(build, from: wish.wantsAll || isNew ? .after(nil) : .now, viewer)
        }
    }

    /// Where a position leads: to what follows on it, or, where there is no such record, to how things are.
    private func start(_ position: StreamWish.Position, of build: Build) async -> StreamViewer.Start {
        guard let epoch = position.epoch else { return .after(nil) }
        let cursor = Cursor(attempt: epoch, seq: position.seq)
        do {
            if try await JournalPlaces(store: store).find(cursor, in: build.id) == .known {
                return .after(cursor)
            }
        } catch {
            // Of this build alone: the others are told all the same.
            logger.error("a journal: \(error)", metadata: ["build": "\(build.id)"])
        }
        metrics.lost()
        return .lost(cursor)
    }

    /// Builds that were not named: those that go on, and those that came after the newest that a client knows; for who
    /// was never there and finds none, the last one.
    private func others(_ session: SessionID, _ wish: StreamWish) async throws -> [Build] {
        let recent = try await store.builds(BuildFilter(session: session, limit: Self.mostMissed))
        let unnamed = recent.filter {
            wish.positions[$0.id] == nil && !($0.state == .superseded && $0.attempt == nil)
        }
        let due = unnamed.filter { build in
            !build.state.isTerminal || (wish.since.map { $0 < build.id } ?? false)
        }
        let isNew = wish.since == nil && wish.positions.isEmpty
        return due.isEmpty && isNew ? Array(unnamed.prefix(1)) : due.reversed()
    }

    private func follow(_ build: Build, from start: StreamViewer.Start, _ viewer: NIOLoopBound<StreamViewer>)
    {
        let stream = use(build)
        viewer.eventLoop.execute { viewer.value.follow(stream, from: start) }
    }

    // MARK: Streams

    /// The build's stream, which is kept for as long as it is used; `release` gives it back.
    private func use(_ build: Build) -> BuildStream {
        let (stream, isNew) = state.withLock { state in
            let known = state.streams[build.id]?.stream
            let stream = known ?? BuildStream(build, teller)
            state.streams[build.id, default: Seat(stream: stream)].uses += 1
            return (stream, known == nil)
        }
        if isNew {
            let reader = StreamReader(
                stream: stream,
                store: store,
                turnstile: turnstile,
                clock: teller.clock,
                metrics: metrics,
                logger: logger
            )
            perform { await reader.run() }
        }
        return stream
    }

    /// Gives back one use of a stream; one that is not used goes, after a while.
    func release(_ stream: BuildStream) {
        let isUnused = state.withLock { state in
            guard var seat = state.streams[stream.build], seat.stream === stream else { return false }
            seat.uses -= 1
            let isDue = seat.uses == 0 && !seat.isLingering
            seat.isLingering = seat.isLingering || isDue
            state.streams[stream.build] = seat
            return isDue
        }
        guard isUnused else { return }
        perform {
            try? await Task.sleep(for: Self.linger)
            self.drop(stream)
        }
    }

    private func drop(_ stream: BuildStream) {
        let isGone = state.withLock { state in
            guard let seat = state.streams[stream.build], seat.stream === stream else { return false }
            state.streams[stream.build]?.isLingering = false
            guard seat.uses == 0 else { return false }
            state.streams[stream.build] = nil
            return true
        }
        if isGone { stream.ending.raise() }
    }

    // MARK: What happens

    /// Builds changed: those who watch them hear of it, and those who watch their session of new ones.
    func changed(_ builds: [Build]) {
        for build in builds {
            let (stream, viewers) = state.withLock { state in
                let watchers = state.watchers[build.request.session]?.values.filter { $0.wants(build) } ?? []
                return (state.streams[build.id]?.stream, watchers.map(\.viewer))
            }
            stream?.changed.raise()
            guard !(build.state == .superseded && build.attempt == nil) else { continue }
            for viewer in viewers { follow(build, from: .after(nil), viewer) }
        }
    }

    /// How many watch, and the most records that one of them is behind.
    func report() async -> StreamReport {
        let (streams, viewers) = state.withLock { state in
            (state.streams.values.map(\.stream), state.watchers.values.reduce(0) { $0 + $1.count })
        }
        var report = StreamReport(viewers: viewers, builds: streams.count)
        for stream in streams { report.lag = max(report.lag, await stream.lag()) }
        return report
    }

    /// The builds that wait and are watched.
    var waiting: [BuildID] {
        state.withLock { $0.streams.values.map(\.stream) }.filter(\.isWaiting).map(\.build)
    }

    /// Tells those who watch a build that waits how many start before it.
    func tell(positions: [BuildID: Int]) {
        for (build, position) in positions {
            state.withLock { $0.streams[build]?.stream }?.tell(position: position)
        }
    }

    /// Reads the journal for a viewer that is behind, as soon as it has a turn.
    func catchUp(_ stream: BuildStream, after cursor: Cursor?, _ viewer: NIOLoopBound<StreamViewer>) {
        let reading = CatchUp(
            stream: stream,
            store: store,
            teller: teller,
            viewer: viewer,
            readsDeflated: viewer.value.readsDeflated
        )
        perform { [turnstile, logger, metrics] in
            do {
                try await turnstile.pass { try await reading.run(after: cursor) }
                viewer.eventLoop.execute { viewer.value.resume(stream.build) }
            } catch is CancellationError {
                return
            } catch {
                logger.error("a journal: \(error)", metadata: ["build": "\(stream.build)"])
                metrics.lost()
                viewer.eventLoop.execute { viewer.value.skip(stream.build) }
            }
        }
    }
}
