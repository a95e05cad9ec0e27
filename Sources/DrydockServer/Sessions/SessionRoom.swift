// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import NIOCore
import Synchronization

/// The connections of one session, and what a profile has told them; everything is sent in one order to all of them.
///
/// The lock makes "join with the current state" and "send to all" one after the other; each is then carried out by
/// the event loops, in the order in which it was handed to them.
final class SessionRoom<Profile: WireProfile>: Sendable {
    private struct State {
        var fold: Profile?
        var showing: BuildID?
        /// What is shown waits in the queue.
        var isWaiting = false
        var seats: [ObjectIdentifier: NIOLoopBound<SeatRow>] = [:]
        var connections = 0
        /// How many of them read deflated frames.
        var deflating = 0
    }

    let session: SessionID
    private let clock: @Sendable () -> Timestamp
    private let metrics: ServerMetrics
    private let encoder: FrameEncoder
    private let state = Mutex(State())

    init(
        session: SessionID,
        clock: @escaping @Sendable () -> Timestamp,
        metrics: ServerMetrics,
        encoder: FrameEncoder
    ) {
        self.session = session
        self.clock = clock
        self.metrics = metrics
        self.encoder = encoder
    }

    /// Connections that sit in the room.
    var connections: Int { state.withLock { $0.connections } }

    /// The build that is, or was last, shown.
    var showing: BuildID? { state.withLock { $0.showing } }

    /// Seats a connection and tells it where things are; on its event loop.
    func join(_ connection: WebSocketHandler, on loop: any EventLoop) {
        let bound = NIOLoopBound(connection, eventLoop: loop)
        let readsDeflated = connection.readsDeflated
        state.withLock { state in
            state.connections += 1
            if readsDeflated { state.deflating += 1 }
            let key = ObjectIdentifier(loop)
            let seats = state.seats[key] ?? NIOLoopBound(SeatRow(), eventLoop: loop)
            state.seats[key] = seats
            let batch = encode(state.fold?.current() ?? [], deflating: readsDeflated)
            let frames = batch.form(readsDeflated: readsDeflated).all
            loop.execute {
                seats.value.add(bound.value)
                if frames.readableBytes > 0 { bound.value.send(frames) }
            }
        }
    }

    /// Frees a connection's seat; on its event loop.
    func leave(_ connection: WebSocketHandler, on loop: any EventLoop) {
        let bound = NIOLoopBound(connection, eventLoop: loop)
        let readsDeflated = connection.readsDeflated
        state.withLock { state in
            state.connections -= 1
            if readsDeflated { state.deflating -= 1 }
            guard let seats = state.seats[ObjectIdentifier(loop)] else { return }
            // Behind the joining that may still wait in the loop's queue.
            loop.execute { seats.value.remove(bound.value) }
        }
    }

    /// Begins to show another build.
    func show(_ build: Build) {
        let request = build.request
        state.withLock { state in
            state.showing = build.id
            state.isWaiting = false
            state.fold = Profile(build: build.id, project: request.project, title: request.title)
        }
    }

    /// The build that is shown and waits in the queue.
    var waiting: BuildID? { state.withLock { $0.isWaiting ? $0.showing : nil } }

    /// Notes whether the shown build waits; true when that is news.
    func note(isWaiting: Bool) -> Bool {
        state.withLock { state in
            defer { state.isWaiting = isWaiting }
            return state.isWaiting != isWaiting
        }
    }

    /// Tells how many builds start before `build`, unless it has left the queue meanwhile.
    func tell(position: Int, of build: BuildID) {
        state.withLock { state in
            guard state.isWaiting, state.showing == build, var fold = state.fold.take() else { return }
            let messages = fold.wait(behind: position)
            state.fold = fold
            _ = deliver(messages, state)
        }
    }

    /// Begins with what happened before anybody was told: everybody hears the current state, once.
    func tellCurrent(_ fold: Profile) -> Delivery {
        state.withLock { state in
            state.fold = fold
            return deliver(fold.current(), state)
        }
    }

    /// Changes what is shown, and sends what follows from it to every connection.
    func tell(_ change: (inout Profile) -> [Profile.Message]) -> Delivery {
        state.withLock { state in
            guard var fold = state.fold.take() else { return Delivery() }
            let messages = change(&fold)
            state.fold = fold
            return deliver(messages, state)
        }
    }

    /// Whether the shown build's terminal message was made.
    var hasEnded: Bool { state.withLock { $0.fold?.hasEnded ?? true } }

    private func deliver(_ messages: [Profile.Message], _ state: State) -> Delivery {
        guard !messages.isEmpty, state.connections > 0 else { return Delivery() }
        let batch = encode(messages, deflating: state.deflating > 0)
        metrics.sent(messages: batch.count * state.connections)
        let loops = state.seats.values.map { seats in
            seats.eventLoop.submit { [metrics] in
                let (isTaking, bytes) = seats.value.send(batch)
                metrics.sent(bytes: bytes)
                return isTaking
            }
        }
        return Delivery(loops: loops)
    }

    /// Encodes messages once for everybody, each with an envelope of its own.
    private func encode(_ messages: [Profile.Message], deflating: Bool) -> FrameBatch {
        var batch = FrameBatch()
        let now = clock()
        for message in messages {
            let bytes = message.encoded(in: .fresh(at: now, session: session))
            let frame = encoder.frame(.text, bytes, deflating: deflating)
            batch.add(frame, maySkip: message.maySkip)
        }
        return batch
    }
}

/// Bytes on their way to the connections; whoever sends much waits for the one before, so that nothing piles up.
struct Delivery: Sendable {
    var loops: [EventLoopFuture<Bool>] = []

    /// Returns when every event loop has handed the bytes to its sockets: whether one of them takes more.
    func arrived() async -> Bool {
        var isTaking = loops.isEmpty
        for loop in loops {
            // A loop that was shut down has no connections left.
            let answer = (try? await loop.get()) ?? false
            isTaking = answer || isTaking
        }
        return isTaking
    }
}
