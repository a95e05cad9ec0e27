// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
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

    /// `guest` reads records where the process is a guest plugin, nil = every line is log text; of the lines the last
    /// `tail` are kept.
    init(
        sink: any StepEventSink,
        masker: StepMasker,
        stage: StageID?,
        guest: GuestRecords?,
        clock: any MonotonicClock,
        tail: Int
    ) {
        let reader = OutputReader(
            sink: sink,
            masker: masker,
            stage: stage,
            guest: guest,
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

    /// A file of the project without the place it has only inside.
    static func inProject(_ file: String) -> String {
        file.hasPrefix(InsidePath.source + "/") ? String(file.dropFirst(InsidePath.source.count + 1)) : file
    }

    /// The last lines, oldest first, masked; each at most 1 KiB.
    var tail: [String] { state.withLock { $0.reader.tail } }

    /// The first errors that were read off the output; what was advised is none of them.
    var errors: [Diagnostic] { state.withLock { $0.reader.errors } }
}

/// The part of `ProjectOutput` that its lock guards.
private final class OutputReader: @unchecked Sendable {
    // SAFETY: it is made inside ProjectOutput's state and never leaves it; every call holds that mutex.
    /// Diagnostics that are read off one command's output.
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
    private(set) var errors: [Diagnostic] = []
    private var diagnosticsLeft = OutputReader.diagnosticLimit
    private var outObserver = OutputObserver()
    private var errObserver = OutputObserver()
    private var throttle = ProgressThrottle<Progress>(interval: .milliseconds(100))

    init(
        sink: any StepEventSink,
        masker: StepMasker,
        stage: StageID?,
        guest: GuestRecords?,
        clock: any MonotonicClock,
        tail: Int
    ) {
        batch = EventBatch(sink)
        self.clock = clock
        self.masker = masker
        self.stage = stage
        self.guest = guest
        tailLimit = tail
    }

    private var currentStage: StageID? { guest?.stage ?? stage }

    func beginChunk() { secrets = masker.current }

    func endChunk() {
        if let due = throttle.due(now: clock.now) { batch.add(.progress(due), via: .observed) }
        batch.send()
    }

    func finish(_ status: StageChange.Status) {
        if let last = throttle.flush(now: clock.now) { batch.add(.progress(last), via: .observed) }
        for (event, via) in guest?.flush() ?? [] { batch.add(event, via: via) }
        for (event, via) in guest?.end(status) ?? [] { batch.add(event, via: via) }
        batch.send()
    }

    func read(_ segment: OutputSegment, _ stream: LogLine.Stream) {
        if stream == .out, segment.end == .line, segment.startsLine,
            PluginLineDecoder.isRecord(segment.bytes),
            isFact(segment)
        {
            return
        }
        if !segment.isRepeated { observe(segment, stream) }
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
                let text = "The next line is no valid record: \(reason)"
                batch.add(.log(LogLine(stream: .host, stage: currentStage, text: text)), via: .host)
            }
            return false
        case nil: return false
        }
    }

    private func observe(_ segment: OutputSegment, _ stream: LogLine.Stream) {
        let isOverwritten = segment.end == .overwritten
        let observation =
            stream == .err
            ? errObserver.observe(segment.bytes, isOverwritten: isOverwritten)
            : outObserver.observe(segment.bytes, isOverwritten: isOverwritten)
        switch observation {
        case .progress(let current, let total, let unit):
            let progress = Progress(stage: currentStage, current: current, total: total, unit: unit)
            if let shown = throttle.admit(progress, now: clock.now) {
                batch.add(.progress(shown), via: .observed)
            }
        case .diagnostic(let found):
            guard diagnosticsLeft > 0 else { return }
            diagnosticsLeft -= 1
            var diagnostic = found.masked(by: secrets)
            diagnostic.stage = currentStage
            diagnostic.file = diagnostic.file.map(ProjectOutput.inProject)
            keep(diagnostic)
            batch.add(.diag(diagnostic), via: .observed)
        case nil: break
        }
    }

    private func keep(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error, errors.count < Self.errorLimit { errors.append(diagnostic) }
    }

    private func remember(_ text: String) {
        guard tailLimit > 0 else { return }
        if tail.count == tailLimit { tail.removeFirst() }
        tail.append(text.utf8.count <= 1_024 ? text : String(text.prefix(256)) + "…")
    }
}
