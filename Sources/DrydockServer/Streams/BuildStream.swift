// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import NIOCore
import Synchronization

/// One build as wire profile 1 tells it, for all who watch it: its newest records, what is known of it, and how it ended.
///
/// It holds as much of the journal as lets viewers keep up, and is read by each of them at its own pace, from its own
/// place. Who falls behind reads the journal, and comes back here.
final class BuildStream: Sendable {
    /// What a viewer finds who has seen the batches before `number`.
    struct Look {
        /// What follows, in order; nil when it is not kept here any more.
        var batches: ArraySlice<RecordBatch>?
        /// The newest message of state, and its number; of interest to who has seen all batches.
        var news: SharedFrame?
        var newsNumber = 0
        /// The terminal message.
        var end: SharedFrame?
        var order = AttemptOrder()
    }

    /// Where a viewer enters, and what greets it there.
    enum Entry {
        /// Its past is still read: ask again when woken.
        case notYet
        /// The next batch has this number and follows on `cursor`; the newest message of state has the other number.
        case at(Int, after: Cursor?, news: Int, greeting: [SharedFrame])
        /// What follows on its place is in the journal.
        case behind(greeting: [SharedFrame])
    }

    private struct State {
        var picture: BuildPicture
        /// The attempts that its reader knows of: one more each time there is one.
        var order = AttemptOrder()
        /// nil while the past is read.
        var recent: RecentBatches?
        var news: SharedFrame?
        var newsNumber = 0
        /// The picture's revision that `news` tells.
        var told = 0
        var end: SharedFrame?
        var seats: [ObjectIdentifier: NIOLoopBound<Seats>] = [:]
        var viewers = 0
        /// Viewers that read deflated frames.
        var deflating = 0
    }

    /// The viewers that live on one event loop.
    private final class Seats {
        var viewers: [ObjectIdentifier: StreamViewer] = [:]
    }

    let build: BuildID
    let session: SessionID
    /// Raised when the build's row changed.
    let changed = ChangeSignal()
    /// Raised when a viewer takes bytes again, came or went.
    let writable = ChangeSignal()
    /// Raised when nobody needs it any more.
    let ending = ChangeSignal()
    private let teller: StreamTeller
    private let state: Mutex<State>

    init(_ build: Build, _ teller: StreamTeller) {
        self.build = build.id
        session = build.request.session
        self.teller = teller
        let picture = BuildPicture(
            build: build.id,
            project: build.request.project,
            title: build.request.title
        )
        state = Mutex(State(picture: picture))
    }

    // MARK: What its reader tells

    /// Whether what was there before was read.
    var isPresent: Bool { state.withLock { $0.recent != nil } }

    /// The last record that was taken.
    var cursor: Cursor? { state.withLock { $0.picture.cursor } }

    /// Whether it was read further than `cursor`.
    func isBeyond(_ cursor: Cursor) -> Bool {
        state.withLock { state in state.picture.cursor.map { state.order.isBefore(cursor, $0) } ?? false }
    }

    /// The order of its attempts, as far as there are any.
    var order: AttemptOrder { state.withLock(\.order) }

    /// Learns which attempts there are, in their order, before it is told any records of them.
    func note(_ attempts: [AttemptID]) { state.withLock { $0.order = AttemptOrder(attempts) } }

    var viewers: Int { state.withLock { $0.viewers } }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// Takes records of the past, which nobody is told of one by one.
    func absorb(_ lines: [Profile1Message.JournalText], of attempt: AttemptID) {
        state.withLock { state in Self.apply(lines, attempt, &state) }
    }

    /// The past was read: from here on viewers are told what comes.
    func becomePresent() -> Delivery {
        state.withLock { state in
            guard state.recent == nil else { return Delivery() }
            state.recent = RecentBatches(after: state.picture.cursor)
            state.told = state.picture.revision
            return wake(state)
        }
    }

    /// Tells all who watch of new records.
    func tell(_ lines: [Profile1Message.JournalText], of attempt: AttemptID) -> Delivery {
        guard let first = lines.first, let last = lines.last else { return Delivery() }
        return state.withLock { state in
            Self.apply(lines, attempt, &state)
            let frame = frame(of: .events(build, attempt, lines), state)
            state.recent?.append(
                RecordBatch(attempt: attempt, first: first.seq, last: last.seq, frame: frame)
            )
            tellNews(&state)
            return wake(state)
        }
    }

    /// Tells how many builds start before this one.
    func tell(position: Int) {
        state.withLock { state in
            state.picture.wait(behind: position)
            tellNews(&state)
            _ = wake(state)
        }
    }

    /// Whether it waits in the queue, as far as its journal says.
    var isWaiting: Bool { state.withLock { $0.picture.cursor == nil && $0.end == nil } }

    /// Tells the end; what is kept for viewers that keep up is theirs until they have it.
    func end(_ outcome: Outcome, _ duration: Duration) -> Delivery {
        state.withLock { state in
            state.picture.end(outcome, duration)
            guard state.end == nil, let end = state.picture.ending else { return Delivery() }
            let host = state.picture.preview.map { "d-\($0.deploy).\(teller.previewDomain)" }
            state.end = frame(of: .ended(state.picture, end, previewHost: host), state)
            return wake(state)
        }
    }

    private static func apply(
        _ lines: [Profile1Message.JournalText],
        _ attempt: AttemptID,
        _ state: inout State
    ) {
        for line in lines { state.picture.apply(line.bytes, of: attempt, seq: line.seq) }
    }

    private func tellNews(_ state: inout State) {
        guard state.told != state.picture.revision, state.recent != nil else { return }
        state.told = state.picture.revision
        state.news = frame(of: .progress(state.picture), state)
        state.newsNumber += 1
    }

    private func frame(of message: Profile1Message, _ state: State) -> SharedFrame {
        teller.frame(of: message, for: session, deflating: state.deflating > 0)
    }

    /// Has every loop's viewers look; each tells whether one of its sockets takes more.
    private func wake(_ state: State) -> Delivery {
        Delivery(
            loops: state.seats.values.map { seats in
                seats.eventLoop.submit {
                    seats.value.viewers.values.reduce(false) { $1.advance(self.build) || $0 }
                }
            }
        )
    }

    /// The most records that one of its viewers is behind what was read.
    func lag() async -> UInt64 {
        let (seats, end) = state.withLock { (Array($0.seats.values), $0.picture.cursor) }
        guard let end else { return 0 }
        var most: UInt64 = 0
        for seat in seats {
            let lags = seat.eventLoop.submit { [build] in
                seat.value.viewers.values.map { $0.lag(in: build, behind: end) }.max() ?? 0
            }
            // A loop that was shut down has no viewers left.
            most = max(most, (try? await lags.get()) ?? 0)
        }
        return most
    }

    // MARK: What a viewer asks, on its event loop

    /// Seats a viewer: it is woken from now on.
    func seat(_ viewer: StreamViewer, on loop: any EventLoop) {
        let bound = NIOLoopBound(viewer, eventLoop: loop)
        state.withLock { state in
            state.viewers += 1
            if viewer.readsDeflated { state.deflating += 1 }
            let key = ObjectIdentifier(loop)
            let seats = state.seats[key] ?? NIOLoopBound(Seats(), eventLoop: loop)
            state.seats[key] = seats
            loop.execute { seats.value.viewers[ObjectIdentifier(bound.value)] = bound.value }
        }
        writable.raise()
    }

    func unseat(_ viewer: StreamViewer, on loop: any EventLoop) {
        let bound = NIOLoopBound(viewer, eventLoop: loop)
        state.withLock { state in
            state.viewers -= 1
            if viewer.readsDeflated { state.deflating -= 1 }
            guard let seats = state.seats[ObjectIdentifier(loop)] else { return }
            loop.execute { seats.value.viewers[ObjectIdentifier(bound.value)] = nil }
        }
        writable.raise()
    }

    /// Where somebody enters, who is greeted unless that was done before.
    ///
    /// A snapshot and the number of the batch that follows on it are of one moment.
    func enter(_ start: StreamViewer.Start, isGreeted: Bool) -> Entry {
        state.withLock { state in
            guard let recent = state.recent else { return .notYet }
            let greeting = isGreeted ? [] : greeting(start, state)
            var number: Int? = recent.nextNumber
            if case .after(let cursor) = start { number = recent.number(after: cursor, in: state.order) }
            guard let number else { return .behind(greeting: greeting) }
            return .at(number, after: recent.end, news: state.newsNumber, greeting: greeting)
        }
    }

    /// That the build began, and for one who is not told how things came to be, how they are.
    private func greeting(_ start: StreamViewer.Start, _ state: State) -> [SharedFrame] {
        let picture = state.picture
        let messages: [Profile1Message] =
            switch start {
            case .after: [.started(picture)]
            case .now: [.started(picture), .snapshot(picture)]
            case .lost(let from):
                [.gap(build, from: from, to: picture.cursor, reason: Self.lost), .snapshot(picture)]
            }
        return messages.map { frame(of: $0, state) }
    }

    private static let lost = "the journal has no records after that place, or can not be read there"

    func look(from number: Int) -> Look {
        state.withLock { state in
            Look(
                batches: state.recent?.from(number, count: 16),
                news: state.news,
                newsNumber: state.newsNumber,
                end: state.end,
                order: state.order
            )
        }
    }

    /// The last place among `range` from which on a viewer can be told from here.
    func boundary(in attempt: AttemptID, _ range: ClosedRange<UInt64>) -> UInt64? {
        state.withLock { $0.recent?.boundary(in: attempt, range) }
    }
}
