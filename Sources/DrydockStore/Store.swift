// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import SystemPackage

/// The one door to queue, leases, mailbox, journal, segments and blobs.
///
/// Server, worker and command line hold a store each, in processes of their own, and never talk to each other: what one
/// of them changes, the others see here, and are woken by here. Nothing in this protocol assumes one machine.
package protocol Store: Sendable {
    // MARK: Builds and the queue

    /// Accepts a build. A repeated idempotency key of the same session answers with the build it first made.
    func enqueue(_ request: BuildRequest) async throws -> Build

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

    /// Gives every build whose lease lapsed back to the queue, or ends it as `errored(lost)` after its last attempt.
    func reap() async throws -> [Build]

    func build(_ id: BuildID) async throws -> Build?

    /// Newest first.
    func builds(_ filter: BuildFilter) async throws -> [Build]

    /// Builds changed after `revision`, in order of their revision, at most `limit`.
    func changes(after revision: Int64, limit: Int) async throws -> [Build]

    /// Yields at least once after every change of any build, by whatever process; buffers one.
    func changeBell() throws -> AsyncStream<Void>

    /// Place in the queue, from 0 = next; nil when it does not wait.
    func queuePosition(_ id: BuildID) async throws -> Int?

    // MARK: Mailbox

    /// Asks the holder of the build's lease to cancel it; a build that still waits is cancelled here and now.
    func requestCancel(_ id: BuildID, by: String, reason: String) async throws -> CancelAnswer

    /// The cancel requests that reach this lease, as they come; ends with the stream's consumer.
    func cancelRequests(_ lease: Lease) throws -> AsyncStream<CancelRequest>

    // MARK: Journal

    /// The journal of the lease's attempt, for appending. One writer an attempt.
    func journal(_ lease: Lease) throws -> any JournalWriter

    /// A reader of one attempt's journal that starts after `seq`.
    func reader(_ build: BuildID, _ attempt: AttemptID, after seq: UInt64) throws -> any JournalReader

    /// The attempts of a build, oldest first.
    func attempts(_ build: BuildID) async throws -> [AttemptID]

    // MARK: Blobs, artifacts, deploys

    /// A new blob to be written; it exists under its digest once it was finished.
    func newBlob() throws -> any BlobWriter

    /// The blob's file, for opening and reading only; nil when there is none.
    func blobPath(_ digest: Digest) throws -> FilePath?

    func artifacts(_ build: BuildID) async throws -> [Artifact]

    func deploy(_ id: DeployID) async throws -> Deploy?
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
}

/// Reads one attempt's journal in order, whether it is still growing or long finished.
package protocol JournalReader: Sendable {
    /// The encoded records that follow, whole lines without their newline; waits for the first one.
    /// At most `maxBytes` (one record more where a single one is longer). nil once `finished` was returned.
    func next(maxBytes: Int) async throws -> [JournalLine]?

    /// The same without waiting: empty when there is nothing yet.
    func available(maxBytes: Int) throws -> [JournalLine]
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

/// Writes one blob.
///
/// Synchronous; used by one task at a time.
package protocol BlobWriter: Sendable {
    func write(_ bytes: UnsafeRawBufferPointer) throws

    /// Bytes written so far.
    var size: ByteCount { get }

    /// Syncs, names the blob by its content and returns the digest. Writing the same content twice keeps one.
    func finish() throws -> Digest

    /// Throws away what was written. Idempotent; harmless after `finish`.
    func discard()
}

/// A process that leases builds.
package struct WorkerID: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
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
