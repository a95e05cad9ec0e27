// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import NIOCore

/// A connection that speaks wire profile 1: for each build it watches, a place in its journal, and nothing else.
///
/// Lives on its connection's event loop and must only be touched there. It is told as much as its socket takes and goes on
/// when that takes more: one that is slow lags, is skipped past nothing, and costs no memory but its socket's.
final class StreamViewer {
    /// How a build that was not watched before begins.
    enum Start: Sendable {
        /// With a snapshot of how it is.
        case now
        /// With the record that follows; nil = the first one.
        case after(Cursor?)
        /// With word that nothing follows on this place, and a snapshot.
        case lost(Cursor?)
    }

    private enum Place {
        /// It has no place yet, or has to find it anew.
        case finding(Start)
        /// The next batch has this number.
        case at(Int)
        /// What follows on its cursor is read from the journal.
        case reading
    }

    private struct Follow {
        let stream: BuildStream
        var place: Place
        /// The last record that was sent; nil = none.
        var cursor: Cursor?
        /// The newest message of state that was sent.
        var news = 0
        var isGreeted = false

        var isReading: Bool { if case .reading = place { true } else { false } }
    }

    let session: SessionID
    private let connection: WebSocketHandler
    private let hub: StreamHub
    private var follows: [BuildID: Follow] = [:]
    /// The builds it watches; those that were told longest ago come first.
    private var turns: [BuildID] = []
    /// Builds whose end it was told, the newest few.
    private var told: [BuildID] = []
    private static let mostTold = 256
    /// Sending may make the socket writable again while it goes on.
    private var isAdvancing = false
    private var isDue = false
    /// Its connection is gone, or watches something else.
    let isOver = SetOnce()

    init(_ connection: WebSocketHandler, _ session: SessionID, hub: StreamHub) {
        self.connection = connection
        self.session = session
        self.hub = hub
    }

    /// Whether it reads deflated frames.
    var readsDeflated: Bool { connection.readsDeflated }

    /// The build that was accepted last of those it watched.
    private(set) var newest: BuildID?

    /// Whether it watches the build, or did.
    func knows(_ build: BuildID) -> Bool { follows[build] != nil || told.contains(build) }

    /// How many records it is behind `end`; in an attempt before, all of those of the one that `end` is in.
    func lag(in build: BuildID, behind end: Cursor) -> UInt64 {
        guard let follow = follows[build] else { return 0 }
        // One that is shown how things are has no place yet, and waits for nothing.
        guard let cursor = follow.cursor else { return follow.isReading ? end.seq : 0 }
        if cursor.attempt == end.attempt { return end.seq - min(end.seq, cursor.seq) }
        return follow.stream.order.isBefore(cursor, end) ? end.seq : 0
    }

    // MARK: Which builds

    /// Begins to watch a build, unless it does or did; takes over one use of the stream.
    func follow(_ stream: BuildStream, from start: Start) {
        guard let loop = connection.eventLoop, !isOver.value, !knows(stream.build) else {
            return hub.release(stream)
        }
        var follow = Follow(stream: stream, place: .finding(start))
        if case .after(let cursor) = start {
            (follow.cursor, follow.isGreeted) = (cursor, (cursor?.seq ?? 0) > 0)
        }
        follows[stream.build] = follow
        turns.append(stream.build)
        newest = max(newest ?? stream.build, stream.build)
        stream.seat(self, on: loop)
        _ = advance(stream.build)
    }

    /// Watches nothing any more.
    func end() {
        isOver.set()
        for build in turns { drop(build) }
    }

    private func drop(_ build: BuildID) {
        guard let follow = follows.removeValue(forKey: build) else { return }
        turns.removeAll { $0 == build }
        if let loop = connection.eventLoop { follow.stream.unseat(self, on: loop) }
        hub.release(follow.stream)
    }

    // MARK: Telling

    /// The socket takes more: every build has its turn, another one first each time.
    func becameWritable() {
        guard !isAdvancing else {
            isDue = true
            return
        }
        let order = turns
        if let first = turns.first { turns = turns.dropFirst() + [first] }
        for build in order {
            let stream = follows[build]?.stream
            _ = advance(build)
            stream?.writable.raise()
        }
    }

    /// Tells what follows, as far as the socket takes it.
    ///
    /// Returns whether it takes more, and whoever reads the build may go on.
    func advance(_ build: BuildID) -> Bool {
        guard !isAdvancing else {
            isDue = true
            return true
        }
        isAdvancing = true
        if goOn(build) {
            told = (told + [build]).suffix(Self.mostTold)
            drop(build)
        }
        isAdvancing = false
        if isDue {
            isDue = false
            becameWritable()
        }
        return connection.isWritable && !(follows[build]?.isReading ?? false)
    }

    /// Returns whether the build's end was told.
    private func goOn(_ build: BuildID) -> Bool {
        guard var follow = follows[build] else { return false }
        // The connection may go while it is sent to, and all that it watched with it.
        defer { if follows[build] != nil { follows[build] = follow } }
        if case .finding(let start) = follow.place, connection.isWritable { enter(&follow, start) }
        while case .at(let number) = follow.place, connection.isWritable {
            let look = follow.stream.look(from: number)
            guard let batches = look.batches else {
                read(&follow)
                break
            }
            if batches.isEmpty { return finish(look, &follow) }
            send(batches, from: number, in: look.order, &follow)
        }
        return false
    }

    private func enter(_ follow: inout Follow, _ start: Start) {
        switch follow.stream.enter(start, isGreeted: follow.isGreeted) {
        case .notYet: return
        case .at(let number, let cursor, let news, let greeting):
            greet(greeting, &follow)
            follow.place = .at(number)
            if case .after = start { return }
            // A snapshot said how things are, up to there.
            (follow.cursor, follow.news) = (cursor, news)
        case .behind(let greeting):
            greet(greeting, &follow)
            read(&follow)
        }
    }

    private func greet(_ greeting: [SharedFrame], _ follow: inout Follow) {
        follow.isGreeted = true
        for frame in greeting { tell(frame) }
    }

    private func tell(_ frame: SharedFrame) {
        connection.send(frame)
        hub.sent()
    }

    /// Sends batches, without those that it has from the journal.
    private func send(
        _ batches: ArraySlice<RecordBatch>,
        from number: Int,
        in order: AttemptOrder,
        _ follow: inout Follow
    ) {
        var next = number
        for batch in batches {
            guard connection.isWritable else { break }
            if let cursor = follow.cursor, !order.isBefore(cursor, batch.start) {
                // It may have only a part of it: the rest alone is in the journal.
                guard !order.isBefore(cursor, batch.end) else { return read(&follow) }
            } else {
                tell(batch.frame)
                follow.cursor = batch.end
            }
            next += 1
        }
        follow.place = .at(next)
    }

    /// All batches were sent: tells what state the build is in; or its end, which is true.
    private func finish(_ look: BuildStream.Look, _ follow: inout Follow) -> Bool {
        if let end = look.end {
            tell(end)
            return true
        }
        if let news = look.news, look.newsNumber > follow.news {
            tell(news)
            follow.news = look.newsNumber
        }
        return false
    }

    // MARK: The journal

    private func read(_ follow: inout Follow) {
        guard let loop = connection.eventLoop, connection.isWritable else {
            follow.place = .finding(.after(follow.cursor))
            return
        }
        follow.place = .reading
        hub.catchUp(follow.stream, after: follow.cursor, NIOLoopBound(self, eventLoop: loop))
    }

    /// Takes a batch from the journal; false when it wants no more now, because its socket takes none.
    func take(_ batch: RecordBatch, of build: BuildID) -> Bool {
        guard let follow = follows[build], follow.isReading, connection.isWritable else { return false }
        tell(batch.frame)
        follows[build]?.cursor = batch.end
        return connection.isWritable
    }

    /// The journal was read as far as was wanted: it goes on from its place.
    func resume(_ build: BuildID) {
        guard let follow = follows[build], follow.isReading else { return }
        follows[build]?.place = .finding(.after(follow.cursor))
        _ = advance(build)
        follow.stream.writable.raise()
    }

    /// What it was to be told next can not be read: it is told so, and how things are.
    func skip(_ build: BuildID) {
        guard let follow = follows[build], follow.isReading else { return }
        follows[build]?.cursor = nil
        follows[build]?.isGreeted = false
        follows[build]?.place = .finding(.lost(follow.cursor))
        _ = advance(build)
        follow.stream.writable.raise()
    }
}

@available(*, unavailable)
extension StreamViewer: Sendable {}
