// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockStore

/// A call of the worker to its store, by the name that scripts give it.
package struct StoreCall: RawRepresentable, Hashable, Sendable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package static let lease = StoreCall(rawValue: "lease")
    package static let renew = StoreCall(rawValue: "renew")
    package static let reap = StoreCall(rawValue: "reap")
    /// Which attempts are under a lease.
    package static let leased = StoreCall(rawValue: "leased")
    package static let finish = StoreCall(rawValue: "finish")
    package static let journal = StoreCall(rawValue: "journal")
    package static let blob = StoreCall(rawValue: "blob")
    /// A wish to cancel that comes from the mailbox; one that fails is not heard.
    package static let hear = StoreCall(rawValue: "hear")
    package static let sync = StoreCall(rawValue: "sync")
    package static func move(_ state: BuildState) -> StoreCall {
        StoreCall(rawValue: "move \(state.rawValue)")
    }
    /// The append that would write record `seq`.
    package static func append(_ seq: UInt64) -> StoreCall { StoreCall(rawValue: "append \(seq)") }
}

/// What a script does with the calls to a store.
package protocol StoreScript: Sendable {
    /// Before the call goes on to the real store; what it throws is what the caller gets.
    func before(_ call: StoreCall) async throws
    /// The same for calls that can not wait.
    func beforeNow(_ call: StoreCall) throws
    /// After the worker has shown that it lives.
    func registered(_ registration: any WorkerRegistration)
    /// After events were appended.
    func appended(_ events: [Event])
}

/// A real store whose calls a script sees first.
package struct ScriptedStore: Store {
    private let base: any Store
    private let script: any StoreScript

    package init(_ base: any Store, _ script: any StoreScript) {
        self.base = base
        self.script = script
    }

    package func enqueue(
        _ request: BuildRequest,
        recording: @escaping Recording<Build>
    ) async throws -> Build {
        try await base.enqueue(request, recording: recording)
    }

    package func record(_ proof: SandboxProof) async throws { try await base.record(proof) }

    package func latestProof() async throws -> SandboxProof? { try await base.latestProof() }

    package func history(of project: ProjectName) async throws -> BuildHistory? {
        try await base.history(of: project)
    }

    package func remember(_ history: BuildHistory, of project: ProjectName) async throws {
        try await base.remember(history, of: project)
    }

    package func ingredients(of project: ProjectName) async throws -> BuildIngredients? {
        try await base.ingredients(of: project)
    }

    package func remember(_ ingredients: BuildIngredients, of project: ProjectName) async throws {
        try await base.remember(ingredients, of: project)
    }

    package func enqueueLeased(_ request: BuildRequest, to worker: WorkerID) async throws -> Lease {
        try await base.enqueueLeased(request, to: worker)
    }

    package func lease(to worker: WorkerID) async throws -> Lease? {
        try await script.before(.lease)
        return try await base.lease(to: worker)
    }

    package func renew(_ lease: Lease) async throws -> Bool {
        try await script.before(.renew)
        return try await base.renew(lease)
    }

    package func move(_ lease: Lease, to state: BuildState) async throws {
        try await script.before(.move(state))
        try await base.move(lease, to: state)
    }

    package func finish(
        _ lease: Lease,
        _ outcome: Outcome,
        artifacts: [Artifact],
        preview: PreviewReady?
    ) async throws {
        try await script.before(.finish)
        try await base.finish(lease, outcome, artifacts: artifacts, preview: preview)
    }

    package func register(_ worker: WorkerID) async throws -> any WorkerRegistration {
        let registration = try await base.register(worker)
        script.registered(registration)
        return registration
    }

    package func isRegistered(_ worker: WorkerID) async throws -> Bool { try await base.isRegistered(worker) }

    package func reap() async throws -> [Build] {
        try await script.before(.reap)
        return try await base.reap()
    }

    package func build(_ id: BuildID) async throws -> Build? { try await base.build(id) }
    package func builds(_ filter: BuildFilter) async throws -> [Build] { try await base.builds(filter) }

    package func changes(after revision: Int64, limit: Int) async throws -> [Build] {
        try await base.changes(after: revision, limit: limit)
    }

    package func counts() async throws -> StoreCounts { try await base.counts() }
    package func changeBell() throws -> AsyncStream<Void> { try base.changeBell() }

    package func queuePositions(_ ids: [BuildID]) async throws -> [BuildID: Int] {
        try await base.queuePositions(ids)
    }

    package func leasedAttempts() async throws -> Set<AttemptID> {
        try await script.before(.leased)
        return try await base.leasedAttempts()
    }
    package func checkWritable() async throws { try await base.checkWritable() }

    package func requestCancel(
        _ id: BuildID,
        by: String,
        reason: String,
        recording: @escaping Recording<CancelAnswer>
    ) async throws -> CancelAnswer {
        try await base.requestCancel(id, by: by, reason: reason, recording: recording)
    }

    package func cancelRequests(_ lease: Lease) async throws -> AsyncStream<CancelRequest> {
        let requests = try await base.cancelRequests(lease)
        let (heard, hear) = AsyncStream<CancelRequest>.makeStream()
        // UNSTRUCTURED: ends with the store's stream, or when nobody listens any more.
        let passing = Task { [script] in
            for await request in requests where (try? script.beforeNow(.hear)) != nil { hear.yield(request) }
            hear.finish()
        }
        hear.onTermination = { _ in passing.cancel() }
        return heard
    }

    package func journal(_ lease: Lease) async throws -> any JournalWriter {
        try await script.before(.journal)
        return ScriptedJournal(base: try await base.journal(lease), script: script)
    }

    package func reader(
        _ build: BuildID,
        _ attempt: AttemptID,
        from start: JournalStart
    ) async throws -> any JournalReader {
        try await base.reader(build, attempt, from: start)
    }

    package func attempts(_ build: BuildID) async throws -> [AttemptID] { try await base.attempts(build) }

    package func newBlobs() -> any BlobBatch { ScriptedBlobs(base: base.newBlobs(), script: script) }

    package func newUpload() throws -> any BlobWriter { try base.newUpload() }

    package func checkRoom(
        for submitter: Digest?,
        _ session: SessionID?,
        repeating key: String?,
        in scope: String
    ) async throws {
        try await base.checkRoom(for: submitter, session, repeating: key, in: scope)
    }

    package func blob(_ digest: Digest) async throws -> Blob? { try await base.blob(digest) }
    package func artifacts(_ build: BuildID) async throws -> [Artifact] { try await base.artifacts(build) }

    package func artifact(_ build: BuildID, _ path: String) async throws -> Artifact? {
        try await base.artifact(build, path)
    }

    package func deploy(_ id: DeployID) async throws -> Deploy? { try await base.deploy(id) }

    package func collectGarbage(_ retention: Retention, isTrial: Bool) async throws -> GarbageReport? {
        try await base.collectGarbage(retention, isTrial: isTrial)
    }

    package func sealJournals(atMost limit: ByteCount) async throws -> SealReport {
        try await base.sealJournals(atMost: limit)
    }

    package func gzipJournal(_ build: BuildID) async throws -> GzipJournal? {
        try await base.gzipJournal(build)
    }

    package func logSpan(
        _ build: BuildID,
        _ attempt: AttemptID,
        _ range: LogRange,
        while isWanted: @escaping @Sendable () -> Bool
    ) async throws -> LogSpan {
        try await base.logSpan(build, attempt, range, while: isWanted)
    }

    package func addToken(_ token: AccessToken, recording: @escaping Recording<AccessToken>) async throws {
        try await base.addToken(token, recording: recording)
    }

    package func tokens() async throws -> [AccessToken] { try await base.tokens() }
    package func hasTokens() async throws -> Bool { try await base.hasTokens() }
    package func token(_ digest: Digest) async throws -> AccessToken? { try await base.token(digest) }

    package func revokeToken(
        _ name: TokenName,
        recording: @escaping Recording<AccessToken>
    ) async throws -> AccessToken? {
        try await base.revokeToken(name, recording: recording)
    }

    package func record(_ record: AuditRecord) async throws { try await base.record(record) }
    package func audit(limit: Int) async throws -> [AuditRecord] { try await base.audit(limit: limit) }
}

/// A journal whose appends a script sees first.
private struct ScriptedJournal: JournalWriter {
    let base: any JournalWriter
    let script: any StoreScript
    private let next = Counter()

    init(base: any JournalWriter, script: any StoreScript) {
        self.base = base
        self.script = script
    }

    var size: ByteCount { base.size }

    func append(_ events: [Event], via: Via, step: StepID?) throws -> UInt64 {
        for _ in events { try script.beforeNow(.append(next.increment())) }
        let last = try base.append(events, via: via, step: step)
        script.appended(events)
        return last
    }

    func sync() throws {
        try script.beforeNow(.sync)
        try base.sync()
    }

    func close() throws { try base.close() }
}

/// Blobs of a build, each of which a script sees first.
private struct ScriptedBlobs: BlobBatch {
    let base: any BlobBatch
    let script: any StoreScript

    func newBlob() throws -> any BlobWriter {
        try script.beforeNow(.blob)
        return try base.newBlob()
    }

    func commit() throws { try base.commit() }
    func discard() { base.discard() }
}
