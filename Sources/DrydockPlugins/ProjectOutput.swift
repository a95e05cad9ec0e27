// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockObservers
import DrydockProtocol
import DrydockSandbox
import Synchronization

/// The output of a process in the project's sandbox, on its way to the journal.
///
/// It becomes log lines, and what can be read off them. Nothing in it is believed, but for the little that a guest may say in records.
final class ProjectOutput: Sendable {
    private struct State: ~Copyable, Sendable {
        var out = LineSplitter()
        var err = LineSplitter()
        let reader: OutputReader
    }

    private let state: Mutex<State>

    /// `guest` reads records where the process is a guest plugin, nil = every line is log text; `observer` reads what the
    /// tools say; of the lines the last `tail` are kept.
    init(
        sink: any StepEventSink,
        masker: StepMasker,
        stage: StageID?,
        guest: GuestRecords?,
        observer: CommandObserver,
        clock: any MonotonicClock,
        tail: Int
    ) {
        let reader = OutputReader(
            sink: sink,
            masker: masker,
            stage: stage,
            guest: guest,
            observer: observer,
            clock: clock,
            tail: tail
        )
        state = Mutex(State(reader: reader))
    }

    /// Takes bytes in; called by the threads of both streams.
    func receive(_ stream: LogLine.Stream, _ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            let reader = state.reader
            reader.beginChunk()
            if stream == .err {
                state.err.push(bytes) { reader.read($0, stream) }
            } else {
                state.out.push(bytes) { reader.read($0, stream) }
            }
            reader.endChunk()
        }
    }

    /// What is left when nothing more can come; ends a guest's stage.
    func finish(_ status: StageChange.Status) {
        state.withLock { state in
            let reader = state.reader
            reader.beginChunk()
            state.out.finish { reader.read($0, .out) }
            state.err.finish { reader.read($0, .err) }
            reader.finish(status)
        }
    }

    /// The stage that is being worked on.
    var stage: StageID? { state.withLock { $0.reader.currentStage } }

    /// The last lines, oldest first, masked; each at most 1 KiB.
    var tail: [String] { state.withLock { $0.reader.tail } }

    /// What explains a failure: where it was, the first error, and the lines that tell most.
    var details: FailureDetails { state.withLock { $0.reader.details } }

    /// The first errors that were read off the output; what was advised is none of them.
    var errors: [Diagnostic] { state.withLock { $0.reader.errors } }
}

/// The part of `ProjectOutput` that its lock guards.
private final class OutputReader: @unchecked Sendable {
    // SAFETY: it is made inside ProjectOutput's state and never leaves it; every call holds that mutex.
    /// Errors that are read off one command's output, and as many of all others.
    private static let diagnosticLimit = 200
    /// Errors that are kept for the failure's explanation.
    private static let errorLimit = 20

    private var batch: EventBatch
    private let masker: StepMasker
    private var secrets = Masker()
    private let stage: StageID?
    private var guest: GuestRecords?
    private let clock: any MonotonicClock
    private let tailLimit: Int
    private(set) var tail: [String] = []
    private var telling = TellingLines()
    private var causes: [Diagnostic] = []
    private var consequences: [Diagnostic] = []
    private var errorsLeft = OutputReader.diagnosticLimit
    private var othersLeft = OutputReader.diagnosticLimit
    private var observer: CommandObserver
    private var throttle = ProgressThrottle<Progress>(interval: .milliseconds(100))

    init(
        sink: any StepEventSink,
        masker: StepMasker,
        stage: StageID?,
        guest: GuestRecords?,
        observer: CommandObserver,
        clock: any MonotonicClock,
        tail: Int
    ) {
        batch = EventBatch(sink)
        self.observer = observer
        self.clock = clock
        self.masker = masker
        self.stage = stage
        self.guest = guest
        tailLimit = tail
    }

    var currentStage: StageID? { guest?.stage ?? stage }

    func beginChunk() { secrets = masker.current }

    func endChunk() {
        if let due = throttle.due(now: clock.now) { batch.add(.progress(due), via: .observed) }
        batch.send()
    }

    func finish(_ status: StageChange.Status) {
        observer.finish { note($0) }
        if let last = throttle.flush(now: clock.now) { batch.add(.progress(last), via: .observed) }
        for (event, via) in guest?.flush() ?? [] { batch.add(event, via: via) }
        for (event, via) in guest?.end(status) ?? [] { batch.add(event, via: via) }
        batch.send()
    }

    func read(_ segment: OutputSegment, _ stream: LogLine.Stream) {
        if stream == .out, segment.end == .line { guest?.audit?.read(segment) }
        if stream == .out, segment.end == .line, segment.startsLine,
            PluginLineDecoder.isRecord(segment.bytes),
            isFact(segment)
        {
            return
        }
        if !segment.isRepeated {
            observer.observe(segment.bytes, isOverwritten: segment.end == .overwritten) { note($0) }
        }
        guard segment.end == .line else { return }
        let text = secrets.text(of: segment)
        batch.add(.log(LogLine(stream: stream, stage: currentStage, text: text)), via: .observed)
        remember(text)
    }

    /// Whether the segment was a record that counts.
    private func isFact(_ segment: OutputSegment) -> Bool {
        guard guest != nil, segment.dropped == 0 else { return false }
        switch guest?.read(Array(segment.bytes), masker: secrets) {
        case .facts(let facts):
            for (event, via) in facts { batch.add(event, via: via) }
            return true
        case .text(let reason):
            if let reason {
                batch.add(.log(LogLine(stream: .host, stage: currentStage, text: reason)), via: .host)
            }
            return false
        case nil: return false
        }
    }

    private func note(_ observation: CommandObserver.Observation) {
        switch observation {
        case .progress(let current, let total, let unit):
            show(Progress(stage: currentStage, current: current, total: total, unit: unit))
        case .units(let unit, let seen, let total):
            show(
                Progress(
                    stage: currentStage,
                    current: Double(seen),
                    total: total.map(Double.init),
                    unit: unit
                )
            )
        case .diagnostic(let found, let isConsequence): note(found, isConsequence)
        }
    }

    private func show(_ progress: Progress) {
        if let shown = throttle.admit(progress, now: clock.now) {
            batch.add(.progress(shown), via: .observed)
        }
    }

    private func note(_ found: Diagnostic, _ isConsequence: Bool) {
        let isError = found.severity == .error
        guard (isError ? errorsLeft : othersLeft) > 0 else { return }
        if isError { errorsLeft -= 1 } else { othersLeft -= 1 }
        var diagnostic = found.masked(by: secrets)
        diagnostic.stage = currentStage
        batch.add(.diag(diagnostic), via: .observed)
        guard isError else { return }
        if isConsequence { return consequences.append(diagnostic) }
        causes.append(diagnostic)
        telling.mark()
    }

    /// What explains a failure of the command.
    var details: FailureDetails {
        var details = FailureDetails()
        details.stage = currentStage
        details.cause = errors.first
        details.output = telling.clipped(masker.current)
        return details
    }

    /// The first errors: what went wrong before what came of it.
    var errors: [Diagnostic] { Array((causes + consequences).prefix(Self.errorLimit)) }

    private func remember(_ text: String) {
        telling.add(text)
        guard tailLimit > 0 else { return }
        if tail.count == tailLimit { tail.removeFirst() }
        tail.append(FailureDetails.clipped(text, to: 1_024))
    }
}
