// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import GRDB
import Synchronization

/// Who waits for what, and what happens when a notice comes: the part of the bells without descriptors.
final class Switchboard: Sendable {
    /// How an attempt's journal stood at a time.
    struct Moment: Sendable, Equatable {
        fileprivate var generation: UInt64
        /// Nobody appends any more: what is there now is all there will be.
        var isOver: Bool
    }

    private struct Topic {
        var readers = 0
        var isOver = false
        let signal = ChangeSignal()
    }

    private struct FollowedBuild {
        var watch: DirectoryWatcher.Watch?
        var topics: [AttemptID: Topic] = [:]
    }

    private struct Mailbox {
        var wasTold = false
        let attempt: AttemptID
        let continuation: AsyncStream<CancelRequest>.Continuation
    }

    private struct State {
        var isClosed = false
        var lastToken = 0
        var bells: DirectoryWatcher.Watch?
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var mailboxes: [Int: Mailbox] = [:]
        var builds: [BuildID: FollowedBuild] = [:]
        var watches: [DirectoryWatcher.Watch: BuildID] = [:]
        /// Changes up to here were looked at.
        var revision: Int64 = 0

        mutating func token() -> Int {
            lastToken += 1
            return lastToken
        }
    }

    private let database: StoreDatabase
    private let state = Mutex(State())

    init(_ database: StoreDatabase) { self.database = database }

    func listen(toBellsAt watch: DirectoryWatcher.Watch) { state.withLock { $0.bells = watch } }

    // MARK: Streams

    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let token = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            let token = state.token()
            state.listeners[token] = continuation
            return token
        }
        guard let token else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: token) }
        }
        continuation.yield()
        return stream
    }

    func cancelRequests(of attempt: AttemptID) -> AsyncStream<CancelRequest> {
        // The mailbox holds one request an attempt, so one is all that can wait.
        let (stream, continuation) = AsyncStream.makeStream(
            of: CancelRequest.self,
            bufferingPolicy: .bufferingOldest(1)
        )
        let token = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            let token = state.token()
            state.mailboxes[token] = Mailbox(attempt: attempt, continuation: continuation)
            return token
        }
        guard let token else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.mailboxes.removeValue(forKey: token) }
        }
        return stream
    }

    // MARK: Followed attempts

    func follow(
        _ build: BuildID,
        _ attempt: AttemptID,
        watching watch: () throws(StoreError) -> DirectoryWatcher.Watch
    ) async throws {
        let isFirst = state.withLock { $0.builds.isEmpty }
        let revision = isFirst ? try await database.read { try BuildRows.revision($0) } : nil
        try state.withLock { state in
            if let revision, state.builds.isEmpty { state.revision = max(state.revision, revision) }
            var followed = state.builds[build] ?? FollowedBuild()
            if followed.watch == nil {
                let watch = try watch()
                followed.watch = watch
                state.watches[watch] = build
            }
            followed.topics[attempt, default: Topic()].readers += 1
            if state.isClosed { followed.topics[attempt]?.isOver = true }
            state.builds[build] = followed
        }
    }

    /// `unwatch` is given the watch that nobody needs any more, before anybody else can ask for the same one.
    func unfollow(
        _ build: BuildID,
        _ attempt: AttemptID,
        unwatching unwatch: (DirectoryWatcher.Watch) -> Void
    ) {
        state.withLock { state in
            guard var followed = state.builds[build], var topic = followed.topics[attempt] else { return }
            topic.readers -= 1
            followed.topics[attempt] = topic.readers > 0 ? topic : nil
            guard followed.topics.isEmpty else {
                state.builds[build] = followed
                return
            }
            state.builds[build] = nil
            guard let watch = followed.watch else { return }
            state.watches[watch] = nil
            unwatch(watch)
        }
    }

    func moment(_ build: BuildID, _ attempt: AttemptID) -> Moment {
        state.withLock { state in
            guard let topic = state.builds[build]?.topics[attempt] else {
                return Moment(generation: 0, isOver: true)
            }
            return Moment(generation: topic.signal.generation, isOver: topic.isOver)
        }
    }

    func wait(_ build: BuildID, _ attempt: AttemptID, after moment: Moment) async {
        let signal = state.withLock { state in
            state.isClosed ? nil : state.builds[build]?.topics[attempt]?.signal
        }
        await signal?.wait(after: moment.generation)
    }

    func end(_ build: BuildID, _ attempt: AttemptID) { wake(build, attempt, isOver: true) }

    // MARK: Notices

    /// Called on the watcher's thread, one notice after the other.
    func dispatch(_ notice: DirectoryWatcher.Notice) {
        switch notice {
        case .changed(let watch, let name):
            if watch == state.withLock({ $0.bells }) {
                name == Bells.Bell.mailbox.rawValue ? lookIntoMailboxNow() : lookAtChanges()
            } else if let build = state.withLock({ $0.watches[watch] }), name.hasSuffix(".ndjson") {
                wake(build, AttemptID(rawValue: String(name.dropLast(".ndjson".count))), isOver: false)
            }
        case .removed(let watch):
            state.withLock { state in
                guard let build = state.watches.removeValue(forKey: watch) else { return }
                state.builds[build]?.watch = nil
            }
            wakeAll()
        case .overflowed, .due:
            lookAtChanges()
            lookIntoMailboxNow()
            wakeAll()
        }
    }

    /// Looks up what changed, ends the attempts that lost their lease, and rings for everybody else.
    private func lookAtChanges() {
        while let changed = newChanges(), !changed.isEmpty {
            for change in changed {
                for attempt in state.withLock({ $0.builds[change.build]?.topics.keys.map { $0 } ?? [] })
                where change.isOver(attempt) {
                    wake(change.build, attempt, isOver: true)
                }
            }
        }
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield() }
    }

    /// nil when nobody follows anything; at most 1 000.
    private func newChanges() -> [BuildChange]? {
        guard let revision = state.withLock({ $0.builds.isEmpty || $0.isClosed ? nil : $0.revision }) else {
            return nil
        }
        // A failed look is repeated by the next bell, or in two seconds.
        let changes = try? database.readNow { try BuildChange.after(revision, $0) }
        if let last = changes?.last { state.withLock { $0.revision = max($0.revision, last.revision) } }
        return changes
    }

    /// For tasks: their threads are few, and must not wait for a database.
    func lookIntoMailbox() async {
        let unread = unread
        // A failed look is repeated by the next bell, or in two seconds.
        deliver((try? await database.read { try Self.requests(for: unread, $0) }) ?? [:])
    }

    /// For the watcher's own thread.
    private func lookIntoMailboxNow() {
        let unread = unread
        deliver((try? database.readNow { try Self.requests(for: unread, $0) }) ?? [:])
    }

    private static func requests(
        for unread: [Int: AttemptID],
        _ db: Database
    ) throws -> [Int: CancelRequest] {
        try unread.compactMapValues { try EmbeddedStore.cancelRequest(of: $0, db) }
    }

    /// The attempts of mailboxes in which nothing has come yet.
    private var unread: [Int: AttemptID] {
        state.withLock { state in
            state.isClosed ? [:] : state.mailboxes.filter { !$0.value.wasTold }.mapValues(\.attempt)
        }
    }

    private func deliver(_ requests: [Int: CancelRequest]) {
        for (token, request) in requests {
            let first = state.withLock { state -> AsyncStream<CancelRequest>.Continuation? in
                guard state.mailboxes[token]?.wasTold == false else { return nil }
                state.mailboxes[token]?.wasTold = true
                return state.mailboxes[token]?.continuation
            }
            first?.yield(request)
        }
    }

    private func wake(_ build: BuildID, _ attempt: AttemptID, isOver: Bool) {
        let signal = state.withLock { state in
            // Before it is raised: whoever wakes up looks at it.
            if isOver { state.builds[build]?.topics[attempt]?.isOver = true }
            return state.builds[build]?.topics[attempt]?.signal
        }
        signal?.raise()
    }

    private func wakeAll(isOver: Bool = false) {
        let all = state.withLock { $0.builds.map { ($0.key, Array($0.value.topics.keys)) } }
        for (build, attempts) in all {
            for attempt in attempts { wake(build, attempt, isOver: isOver) }
        }
    }

    func close() {
        let (listeners, mailboxes) = state.withLock { state in
            state.isClosed = true
            return (Array(state.listeners.values), state.mailboxes.values.map(\.continuation))
        }
        for listener in listeners { listener.finish() }
        for mailbox in mailboxes { mailbox.finish() }
        wakeAll(isOver: true)
    }
}

/// As much of a changed build as tells which of its attempts are over.
struct BuildChange: Sendable {
    let build: BuildID
    let state: BuildState
    /// The newest attempt.
    let attempt: AttemptID?
    let revision: Int64

    /// Whether nobody appends to `attempt` any more.
    func isOver(_ attempt: AttemptID) -> Bool { state.isOver(attempt, newest: self.attempt) }

    /// The changes after `revision`, in order, at most 1 000.
    static func after(_ revision: Int64, _ db: Database) throws -> [BuildChange] {
        try fetch(db, "WHERE revision > ? ORDER BY revision LIMIT 1000", [revision])
    }

    static func of(_ build: BuildID, _ db: Database) throws -> BuildChange {
        guard let change = try fetch(db, "WHERE id = ?", [build.rawValue]).first else {
            throw StoreError.noSuchBuild(build)
        }
        return change
    }

    private static func fetch(
        _ db: Database,
        _ tail: String,
        _ arguments: StatementArguments
    ) throws -> [BuildChange] {
        let sql = "SELECT id, state, attempt, revision FROM builds " + tail
        return try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in
            // What does not decode counts as over: nobody will go on with it.
            let attempt: String? = BuildRow.value("attempt", of: row)
            return BuildChange(
                build: BuildID(rawValue: BuildRow.value("id", of: row) ?? ""),
                state: BuildRow.value("state", of: row).flatMap(BuildState.init(rawValue:)) ?? .errored,
                attempt: attempt.map(AttemptID.init(rawValue:)),
                revision: BuildRow.value("revision", of: row) ?? 0
            )
        }
    }
}
