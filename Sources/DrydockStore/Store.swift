// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// The one door to queue, leases, mailbox, journal, segments and blobs.
///
/// Server, worker and command line hold a store each, in processes of their own, and never talk to each other: what one
/// of them changes, the others see here, and are woken by here. Nothing in this protocol assumes one machine.
package protocol Store: AccessStore, JournalStore {
    // MARK: Builds and the queue

    /// Accepts a build. A repeated idempotency key of the same scope answers with the build it first made; with another
    /// body it throws `keyReused`.
    func enqueue(_ request: BuildRequest, recording: @escaping Recording<Build>) async throws -> Build

    /// Accepts a build and leases it to `worker` in the same transaction, so that no other worker takes it.
    func enqueueLeased(_ request: BuildRequest, to worker: WorkerID) async throws -> Lease

    /// Leases the build whose turn it is: oldest first, at most one running a session. nil when there is none.
    func lease(to worker: WorkerID) async throws -> Lease?

    /// Moves the lease's end to `leaseDuration` from now. False when it lapsed and was taken: stop working on it.
    func renew(_ lease: Lease) async throws -> Bool

    /// Moves a leased build to another state; an illegal move or a lapsed lease throws.
    func move(_ lease: Lease, to state: BuildState) async throws

    /// Ends the build, after its journal's `finished` record was synced, and gives the lease back.
    func finish(
        _ lease: Lease,
        _ outcome: Outcome,
        artifacts: [Artifact],
        preview: PreviewReady?
    ) async throws

    /// Shows that the process lives which holds leases as `worker`, until it ends or lets go of the result.
    func register(_ worker: WorkerID) async throws -> any WorkerRegistration

    /// Whether such a process lives.
    func isRegistered(_ worker: WorkerID) async throws -> Bool

    /// Gives every build whose lease lapsed, or whose holder has ended, back to the queue, or ends it as `errored(lost)` after its last attempt.
    func reap() async throws -> [Build]

    func build(_ id: BuildID) async throws -> Build?

    /// Newest first.
    func builds(_ filter: BuildFilter) async throws -> [Build]

    /// Builds changed after `revision`, in order of their revision, at most `limit`.
    func changes(after revision: Int64, limit: Int) async throws -> [Build]

    /// What was learned of the project's builds; nil where nothing was.
    func history(of project: ProjectName) async throws -> BuildHistory?

    /// Keeps what was learned, in the place of what was known.
    func remember(_ history: BuildHistory, of project: ProjectName) async throws

    /// What the last build of the project that succeeded was made of; nil where that is not known.
    func ingredients(of project: ProjectName) async throws -> BuildIngredients?

    /// Keeps that, in the place of what was known.
    func remember(_ ingredients: BuildIngredients, of project: ProjectName) async throws

    /// Keeps what came of attacking the sandbox, in the place of what came of it before.
    func record(_ proof: SandboxProof) async throws

    /// What came of it the last time; nil where no worker has tried yet.
    func latestProof() async throws -> SandboxProof?

    /// What there is, counted; as quick with a long history as with none.
    func counts() async throws -> StoreCounts

    /// Yields at least once after every change of any build, by whatever process; buffers one.
    func changeBell() throws -> AsyncStream<Void>

    /// How many builds start before each of these, in the order as it stands now; without those that do not wait.
    func queuePositions(_ ids: [BuildID]) async throws -> [BuildID: Int]

    /// The attempts that are under a lease, whoever holds it.
    func leasedAttempts() async throws -> Set<AttemptID>

    /// Throws what keeps the store from taking changes: a full disk, a database that refuses.
    func checkWritable() async throws

    // MARK: Mailbox

    /// Asks the holder of the build's lease to cancel it; a build that still waits is cancelled here and now.
    func requestCancel(
        _ id: BuildID,
        by: String,
        reason: String,
        recording: @escaping Recording<CancelAnswer>
    ) async throws -> CancelAnswer

    /// The cancel requests that reach this lease, as they come; ends with the stream's consumer.
    func cancelRequests(_ lease: Lease) async throws -> AsyncStream<CancelRequest>

    // MARK: Journal

    /// The journal of the lease's attempt, for appending. One writer an attempt.
    func journal(_ lease: Lease) async throws -> any JournalWriter

    /// A reader of one attempt's journal.
    func reader(
        _ build: BuildID,
        _ attempt: AttemptID,
        from start: JournalStart
    ) async throws -> any JournalReader

    /// The attempts of a build, oldest first.
    func attempts(_ build: BuildID) async throws -> [AttemptID]

    // MARK: Blobs, artifacts, deploys

    /// Blobs of one build to be written.
    func newBlobs() -> any BlobBatch

    /// The source of a build that is about to be enqueued, to be written; it exists under its digest once it was finished.
    ///
    /// It stays where the build is then refused, until it is collected: another process may have stored the same content,
    /// and only its build's end names that.
    func newUpload() throws -> any BlobWriter

    /// Throws `queueFull` when a new build of `submitter` and `session`, nil = one of its own, would be refused now.
    ///
    /// A repetition is not: where `scope` knows `key`, there is nothing to throw.
    func checkRoom(
        for submitter: Digest?,
        _ session: SessionID?,
        repeating key: String?,
        in scope: String
    ) async throws

    /// The blob, open for reading; nil when there is none.
    func blob(_ digest: Digest) async throws -> Blob?

    /// What the build made, in the order of the paths.
    func artifacts(_ build: BuildID) async throws -> [Artifact]

    /// The one artifact of that path; nil when the build made none.
    func artifact(_ build: BuildID, _ path: String) async throws -> Artifact?

    func deploy(_ id: DeployID) async throws -> Deploy?

    // MARK: Keeping

    /// Removes the builds that `retention` lets go, with their journals, the blobs that no build refers to, and the records
    /// of the audit that are older than its age.
    ///
    /// A trial removes nothing, and tells what it would. Nil when somebody else is at it.
    func collectGarbage(_ retention: Retention, isTrial: Bool) async throws -> GarbageReport?
}

/// Appends events to one attempt's journal.
///
/// Calls are synchronous and thread-safe: pipes are read on threads.
package protocol JournalWriter: Sendable {
    /// Appends `events` in order, as one `write(2)`, so that readers see them at once. Returns the last record's `seq`.
    @discardableResult
    func append(_ events: [Event], via: Via, step: StepID?) throws -> UInt64

    /// Returns once everything that was appended is on stable storage.
    func sync() throws

    /// Ends the writer; further appends throw. Idempotent.
    func close() throws

    /// Bytes that the journal takes up so far.
    var size: ByteCount { get }
}

/// Reads one attempt's journal in order, whether it is still growing or long finished.
package protocol JournalReader: Sendable {
    /// The encoded records that are there, whole lines without their newline, at most `maxBytes` (one record more where a
    /// single one is longer); empty when there is nothing yet.
    ///
    /// `finished` comes once the store has the build's end too, artifacts and all. Records that can not be read any more
    /// are told as a `gap` with the number of the last of them.
    func available(maxBytes: Int) async throws -> [JournalLine]

    /// Returns when there may be more than the last look found; false once everything was told.
    ///
    /// Throws `CancellationError` when its task is cancelled; nothing is lost by that.
    func more() async throws -> Bool
}

extension JournalReader {
    /// What follows, at least one record; nil once everything was told.
    package func next(maxBytes: Int) async throws -> [JournalLine]? {
        while true {
            try Task.checkCancellation()
            let lines = try await available(maxBytes: maxBytes)
            if !lines.isEmpty { return lines }
            guard try await more() else { return nil }
        }
    }
}

extension Store {
    /// Accepts a build that nobody asked the API for.
    package func enqueue(_ request: BuildRequest) async throws -> Build {
        try await enqueue(request) { _ in nil }
    }

    /// Asks for the end of a build, for nobody who asked the API for it.
    package func requestCancel(
        _ id: BuildID,
        by: String,
        reason: String
    ) async throws -> CancelAnswer {
        try await requestCancel(id, by: by, reason: reason) { _ in nil }
    }

    /// How many builds start before this one; nil when it does not wait.
    package func queuePosition(_ id: BuildID) async throws -> Int? { try await queuePositions([id])[id] }
}

/// Where a reader begins.
package enum JournalStart: Hashable, Sendable {
    /// With the record after this number; 0 = the first one.
    case after(UInt64)
    /// Somewhere near the end: with the first record of the last so many bytes.
    case tail(bytes: Int)
}

extension Store {
    /// A reader of one attempt's journal that starts after `seq`.
    package func reader(
        _ build: BuildID,
        _ attempt: AttemptID,
        after seq: UInt64
    ) async throws -> any JournalReader {
        try await reader(build, attempt, from: .after(seq))
    }
}

/// One encoded record.
package struct JournalLine: Sendable, Hashable {
    package var seq: UInt64
    /// UTF-8 JSON, without the newline.
    package var bytes: [UInt8]

    package init(seq: UInt64, bytes: [UInt8]) {
        self.seq = seq
        self.bytes = bytes
    }
}

/// Writes blobs that become durable together, which waits for the disk once instead of once for each.
///
/// Synchronous.
package protocol BlobBatch: Sendable {
    /// A new blob to be written; it exists under the digest that its `finish` returns once `commit` has returned.
    func newBlob() throws -> any BlobWriter

    /// Syncs all that were finished, and names them by their content. The same content twice keeps one.
    func commit() throws

    /// Throws away what was not committed. Idempotent.
    func discard()
}

/// Writes one blob.
///
/// Synchronous; used by one task at a time.
package protocol BlobWriter: Sendable {
    func write(_ bytes: UnsafeRawBufferPointer) throws

    /// Bytes written so far.
    var size: ByteCount { get }

    /// The whole content's digest.
    func finish() throws -> Digest

    /// Throws away what was written. Idempotent; harmless after `finish`.
    func discard()
}

/// A process that leases builds.
package struct WorkerID: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    /// An id that no other process has, or had: numbers of processes come again.
    package static func make(_ kind: String) -> WorkerID {
        let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        return WorkerID(rawValue: "\(kind)-\(random)")
    }
}

/// The sign that a holder of leases lives; it goes with the process, or when nobody keeps it.
package protocol WorkerRegistration: Sendable {
    /// Ends it: after that the process must hold no lease.
    func end()
}

/// The right to work on one attempt of a build, until it lapses.
package struct Lease: Hashable, Sendable {
    package var build: Build
    package var attempt: AttemptID
    /// The attempt's number, from 1.
    package var number: Int
    package var worker: WorkerID

    package init(build: Build, attempt: AttemptID, number: Int, worker: WorkerID) {
        self.build = build
        self.attempt = attempt
        self.number = number
        self.worker = worker
    }
}

package struct CancelRequest: Hashable, Sendable {
    package var by: String
    package var reason: String

    package init(by: String, reason: String) {
        self.by = by
        self.reason = reason
    }
}

package enum CancelAnswer: Sendable {
    /// It waited in the queue and is cancelled now.
    case cancelled
    /// Its worker was told.
    case requested
    /// It had ended before.
    case alreadyFinished
    case noSuchBuild
}

/// What a store holds, counted at one moment.
package struct StoreCounts: Hashable, Sendable {
    /// How many builds are in each state; those of none are not in it.
    package var builds: [BuildState: Int]
    /// Since when the build that waits longest has waited.
    package var oldestQueued: Timestamp?
    /// Of the newest change.
    package var revision: Int64

    package init(builds: [BuildState: Int], oldestQueued: Timestamp?, revision: Int64) {
        self.builds = builds
        self.oldestQueued = oldestQueued
        self.revision = revision
    }
}

/// Which builds a list shows.
package struct BuildFilter: Sendable {
    package var session: SessionID?
    package var project: ProjectName?
    package var states: Set<BuildState>
    /// Only builds older than this one: the last of the page before.
    package var before: BuildID?
    /// 1…200.
    package var limit: Int

    package init(
        session: SessionID? = nil,
        project: ProjectName? = nil,
        states: Set<BuildState> = [],
        before: BuildID? = nil,
        limit: Int = 50
    ) {
        self.session = session
        self.project = project
        self.states = states
        self.before = before
        self.limit = limit
    }
}

/// What a deploy's host name leads to.
package struct Deploy: Hashable, Sendable {
    package var id: DeployID
    package var build: BuildID
    package var preview: PreviewReady

    package init(id: DeployID, build: BuildID, preview: PreviewReady) {
        self.id = id
        self.build = build
        self.preview = preview
    }
}
