// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockObservers
import DrydockProtocol

/// Records on their way to the journal: quota, latest progress, and what was lost on the way.
struct RecordFlow {
    private var quota: RecordQuota
    /// The newest progress of each stage that came too fast.
    private var pending: [StageID?: Progress] = [:]
    private var latest: [StageID?: Progress] = [:]
    private var lostRecords = 0
    private var lostBytes = 0
    /// A million records: nothing is let through any more.
    private(set) var isExhausted = false

    init(now: ContinuousClock.Instant) { quota = RecordQuota(now: now) }

    /// What is to be emitted for `event`, which was written in `bytes` bytes.
    mutating func admit(_ event: Event, bytes: Int, now: ContinuousClock.Instant) -> [Event] {
        switch quota.count(now: now) {
        case .admitted: return flush() + [event]
        case .exhausted:
            isExhausted = true
            return []
        case .tooFast: break
        }
        switch event {
        case .progress(let progress): pending[progress.stage] = progress
        case .log, .diag, .notice:
            lostRecords += 1
            lostBytes += bytes
        default: return [event]
        }
        return []
    }

    /// What was held back.
    mutating func flush() -> [Event] {
        guard lostRecords > 0 || !pending.isEmpty else { return [] }
        var events = pending.values.map(Event.progress)
        if lostRecords > 0 {
            let bytes = ByteCount(Int64(lostBytes))
            events.append(.gap(Gap(reason: "too many records a second", lines: lostRecords, bytes: bytes)))
        }
        (pending, lostRecords, lostBytes) = ([:], 0, 0)
        return events
    }

    /// `expect` as progress: what is known of the stage so far, with the new total.
    mutating func expectation(_ total: Double, stage: StageID?) -> Event {
        var progress = latest[stage] ?? Progress(stage: stage, current: 0, total: nil)
        progress.total = total
        return note(progress)
    }

    /// Remembers how far a stage is; of the first thousand stages.
    mutating func note(_ progress: Progress) -> Event {
        if latest.count < 1_000 || latest[progress.stage] != nil { latest[progress.stage] = progress }
        return .progress(progress)
    }
}

/// What a guest may say in records: a little, and only about itself.
struct GuestRecords {
    enum Reading {
        /// It counts: these events, each with who says so.
        case facts([(Event, Via)])
        /// It is log text like any other line; the reason where its author should hear it.
        case text(reason: String?)
    }

    /// Who reads along, in a check of the plugin.
    let audit: RecordAudit?
    private let name: PluginName
    private let places: SourcePlaces
    private let titles: [StageID: ManifestStage]
    private let clock: any MonotonicClock
    private var flow: RecordFlow
    private var malformed = 0
    private var told: Set<String> = []
    /// Reasons that are told: stages may be named without end.
    private static let reasons = 16
    /// The stage that was started last.
    private(set) var stage: StageID?

    init(plugin: Plugin, clock: any MonotonicClock, places: SourcePlaces, audit: RecordAudit? = nil) {
        self.audit = audit
        self.clock = clock
        flow = RecordFlow(now: clock.now)
        name = plugin.name
        self.places = places
        titles = Dictionary(plugin.manifest.stages.map { ($0.id, $0) }) { first, _ in first }
    }

    mutating func read(_ line: [UInt8], masker: Masker) -> Reading {
        switch PluginLineDecoder.decode(line) {
        case .record(let record):
            guard !flow.isExhausted else { return .text(reason: nil) }
            guard let facts = facts(record) else { return ignored(why(not: record)) }
            let now = clock.now
            return .facts(
                facts.flatMap { event, via in
                    flow.admit(event.masked(by: masker), bytes: line.count, now: now).map { ($0, via) }
                }
            )
        case .malformed(let reason):
            malformed += 1
            return .text(reason: malformed <= 3 ? "The next line is no valid record: \(reason)" : nil)
        case .unknown(let type): return ignored("this version does not know the record \"\(type)\"")
        case .log: return .text(reason: nil)
        }
    }

    /// Each reason is told once: a script's author learns of it, and its log does not drown.
    private mutating func ignored(_ reason: String) -> Reading {
        let isNew = told.count < Self.reasons && told.insert(reason).inserted
        return .text(reason: isNew ? "The next line is log text: \(reason)" : nil)
    }

    /// Why a record that can be read is log text.
    private func why(not record: PluginRecord) -> String {
        guard case .stage(let change) = record else {
            return "a guest has no say in \"\(record.type)\"; a driver has"
        }
        guard change.op == .start else {
            return "a guest's stages are ended by the host, and only \"start\" counts"
        }
        return "the manifest of \(name) has no stage \"\(change.stage)\""
    }

    /// nil where a guest has no say in this.
    private mutating func facts(_ record: PluginRecord) -> [(Event, Via)]? {
        switch record {
        case .stage(let change):
            guard change.op == .start, let known = titles[change.stage] else { return nil }
            let ended = end(.ok)
            stage = change.stage
            let started = StageChange(
                stage: known.id,
                op: .start,
                title: change.title ?? known.title,
                weight: known.weight
            )
            return ended + [(.stage(started), .advised)]
        case .progress(var progress):
            progress.stage = progress.stage ?? stage
            return [(flow.note(progress), .advised)]
        case .expect(let of, let total): return [(flow.expectation(total, stage: of ?? stage), .advised)]
        case .log(var line):
            line.stage = line.stage ?? stage
            // The plugin's own channel is a driver's: this one the project shares.
            line.stream = .out
            return [(.log(line), .advised)]
        case .diag(var diagnostic):
            diagnostic.stage = diagnostic.stage ?? stage
            return [(.diag(advised(diagnostic)), .advised)]
        default: return nil
        }
    }

    /// A message as its sayer's, whoever reads it: with a place only where there is one, and without advice.
    ///
    /// What to do next is said by the host alone: the text may be the project's.
    private func advised(_ said: Diagnostic) -> Diagnostic {
        var diagnostic = said
        diagnostic.message = "\(name) says: \(said.message)"
        (diagnostic.hint, diagnostic.url) = (nil, nil)
        diagnostic.file = said.file.flatMap { places.place(of: $0) }
        if diagnostic.file == nil { (diagnostic.line, diagnostic.column) = (nil, nil) }
        return diagnostic
    }

    /// Ends the running stage, which only the host can.
    mutating func end(_ status: StageChange.Status) -> [(Event, Via)] {
        guard let stage else { return [] }
        self.stage = nil
        return [(.stage(StageChange(stage: stage, op: .end, status: status)), .host)]
    }

    /// What was held back by the quota.
    mutating func flush() -> [(Event, Via)] { flow.flush().map { ($0, .advised) } }
}
