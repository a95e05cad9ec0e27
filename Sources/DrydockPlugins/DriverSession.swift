// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import Synchronization

/// What a driver said about its work, as far as the host keeps it.
struct DriverStatement: Sendable {
    var saidHello = false
    var end: (status: PluginRecord.EndStatus, message: String?)?
    var error: DeclaredError?
    var artifacts: [ArtifactRule] = []
    var preview: PreviewRule?
    var outputs: [String: String] = [:]
    var errors: [Diagnostic] = []
    /// Why the host stopped listening.
    var closed: String?
}

/// What the session asks of the driver's host.
struct DriverRequests: Sendable {
    /// Runs a command in turn; false when too many wait.
    var exec: @Sendable (ExecRequest) -> Bool
    /// Answers a command that is not taken; false when the driver does not read its answers.
    var refuse: @Sendable (ExecEnd) -> Bool
    /// The protocol is closed: the driver is to be ended.
    var close: @Sendable () -> Void
}

/// The output of a driver: every record of it counts, because no project can write here.
final class DriverSession: Sendable {
    private struct State: ~Copyable, Sendable {
        var out = LineSplitter()
        var err = LineSplitter()
        let reader: DriverReader
    }

    private let state: Mutex<State>

    init(
        sink: any StepEventSink,
        masker: StepMasker,
        stages: [ManifestStage],
        clock: any MonotonicClock,
        audit: RecordAudit? = nil,
        requests: DriverRequests
    ) {
        let reader = DriverReader(
            sink: sink,
            masker: masker,
            stages: stages,
            clock: clock,
            audit: audit,
            requests: requests
        )
        state = Mutex(State(reader: reader))
    }

    /// Takes bytes in; called by the threads of both streams.
    func receive(_ stream: LogLine.Stream, _ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            let reader = state.reader
            reader.beginChunk()
            if stream == .err {
                state.err.push(bytes) { reader.readError($0) }
            } else {
                state.out.push(bytes) { reader.read($0) }
            }
            reader.endChunk()
        }
    }

    /// Says something in the host's name, in the order of the driver's own words.
    func say(_ text: String) {
        state.withLock { state in
            state.reader.say(text)
            state.reader.endChunk()
        }
    }

    /// Reads what is left and ends the stages that are still open.
    func finish(_ status: StageChange.Status) {
        state.withLock { state in
            let reader = state.reader
            reader.finish(status)
        }
    }

    /// Reads a last line without newline; nothing more can come.
    func drain() -> DriverStatement {
        state.withLock { state in
            let reader = state.reader
            reader.beginChunk()
            state.out.finish { reader.read($0) }
            state.err.finish { reader.readError($0) }
            reader.endChunk()
            return reader.statement
        }
    }
}

/// The part of `DriverSession` that its lock guards.
private final class DriverReader: @unchecked Sendable {
    // SAFETY: it is made inside DriverSession's state and never leaves it; every call holds that mutex.
    private enum Bound {
        static let malformed = 100
        static let artifacts = 1_000
        static let outputs = 256
        static let masks = 64
        static let stages = 1_000
        static let execs = 10_000
        static let unknownTypes = 64
        static let errors = 20
    }

    private var batch: EventBatch
    private let masker: StepMasker
    /// Those of the manifest: what a record leaves out.
    private let known: [ManifestStage]
    private let requests: DriverRequests
    private let audit: RecordAudit?
    private var secrets = Masker()
    private let clock: any MonotonicClock
    private var flow: RecordFlow
    private(set) var statement = DriverStatement()
    /// Open stages, outer ones first.
    private var stages: [StageID] = []
    private var stageCount = 0
    private var maskCount = 0
    private var execCount = 0
    private var malformed = 0
    private var unknown: Set<String> = []

    init(
        sink: any StepEventSink,
        masker: StepMasker,
        stages: [ManifestStage],
        clock: any MonotonicClock,
        audit: RecordAudit? = nil,
        requests: DriverRequests
    ) {
        self.clock = clock
        known = stages
        flow = RecordFlow(now: clock.now)
        batch = EventBatch(sink)
        self.masker = masker
        self.requests = requests
        self.audit = audit
    }

    func beginChunk() { secrets = masker.current }
    func endChunk() { batch.send() }

    func say(_ text: String) {
        batch.add(.log(LogLine(stream: .host, stage: stages.last, text: secrets.masked(text))), via: .host)
    }

    func readError(_ segment: OutputSegment) {
        if segment.end == .line { audit?.hear(segment) }
        readText(segment)
    }

    func readText(_ segment: OutputSegment) {
        guard segment.end == .line else { return }
        batch.add(
            .log(LogLine(stream: .plugin, stage: stages.last, text: secrets.text(of: segment))),
            via: .declared
        )
    }

    func read(_ segment: OutputSegment) {
        guard segment.end == .line else { return }
        audit?.read(segment)
        let listens = statement.closed == nil && statement.end == nil
        guard listens, segment.startsLine, PluginLineDecoder.isRecord(segment.bytes) else {
            return readText(segment)
        }
        guard segment.dropped == 0 else { return misread("the line is longer than 64 KiB", segment) }
        switch PluginLineDecoder.decode(Array(segment.bytes)) {
        case .record(let record):
            do throws(RefusedRecord) {
                try act(record, bytes: segment.bytes.count)
            } catch {
                audit?.refuse(error.reason)
                note(malformed: error.reason, segment)
                if case .exec(let request) = record { refuse(id: request.id, error.reason) }
            }
        case .unknown(let type):
            let text = LogLine(
                stream: .plugin,
                stage: stages.last,
                text: secrets.text(of: segment),
                level: "debug"
            )
            emit(.log(text), bytes: segment.bytes.count)
            if unknown.count < Bound.unknownTypes, unknown.insert(type).inserted {
                say("This version of Drydock does not know the record \"\(type)\" and ignores it.")
            }
        case .malformed(let reason): misread(reason, segment)
        case .log: readText(segment)
        }
    }

    func finish(_ status: StageChange.Status) {
        for event in flow.flush() { batch.add(event, via: .declared) }
        endStages(from: 0, status)
        batch.send()
    }

    private func misread(_ reason: String, _ segment: OutputSegment) {
        note(malformed: reason, segment)
        // A driver waits for the end of what it asked for, and would wait for ever.
        if let id = PluginLineDecoder.idOfMalformedExec(Array(segment.bytes)) { refuse(id: id, reason) }
    }

    private func refuse(id: String, _ reason: String) {
        guard statement.closed == nil, !requests.refuse(.refused(id: id, error: reason)) else { return }
        close("it does not read the answers to its commands")
    }

    private func note(malformed reason: String, _ segment: OutputSegment) {
        malformed += 1
        if malformed <= 3 { say("Malformed record: \(reason): \(secrets.text(of: segment).prefix(200))") }
        if malformed > Bound.malformed { close("it wrote more than \(Bound.malformed) malformed records") }
    }

    private func close(_ reason: String) {
        statement.closed = reason
        requests.close()
    }

    private func emit(_ event: Event, bytes: Int) {
        let admitted = flow.admit(event.masked(by: secrets), bytes: bytes, now: clock.now)
        for event in admitted { batch.add(event, via: .declared) }
        if flow.isExhausted { close("it wrote more than \(RecordQuota.perRun) records") }
    }
}

/// Why a well-formed record is not taken.
private struct RefusedRecord: Error {
    var reason: String

    /// Throws unless there is room for one more.
    static func check(_ count: Int, below bound: Int, _ what: String) throws(RefusedRecord) {
        guard count < bound else { throw RefusedRecord(reason: "there may be at most \(bound) \(what)") }
    }
}

// MARK: Acting on records

extension DriverReader {
    private func act(_ record: PluginRecord, bytes: Int) throws(RefusedRecord) {
        switch record {
        case .hello(let version):
            guard version.hasPrefix("1.") else {
                throw RefusedRecord(reason: "it speaks protocol \(version), the host 1.0")
            }
            statement.saidHello = true
        case .stage(let change): try stage(change, bytes: bytes)
        case .progress(var progress):
            progress.stage = progress.stage ?? stages.last
            emit(flow.note(progress), bytes: bytes)
        case .expect(let stage, let total):
            emit(flow.expectation(total, stage: stage ?? stages.last), bytes: bytes)
        case .log(var line):
            line.stage = line.stage ?? stages.last
            emit(.log(line), bytes: bytes)
        case .diag(var diagnostic):
            diagnostic.stage = diagnostic.stage ?? stages.last
            if diagnostic.severity == .error, statement.errors.count < Bound.errors {
                statement.errors.append(diagnostic.masked(by: secrets))
            }
            emit(.diag(diagnostic), bytes: bytes)
        case .notice(let title, let markdown): emit(.notice(title: title, markdown: markdown), bytes: bytes)
        case .willFail(let reason): emit(.willFail(reason: reason), bytes: bytes)
        default: try declare(record, bytes: bytes)
        }
    }

    private func declare(_ record: PluginRecord, bytes: Int) throws(RefusedRecord) {
        switch record {
        case .exec(var request):
            try RefusedRecord.check(execCount, below: Bound.execs, "commands")
            execCount += 1
            request.stage = request.stage ?? stages.last
            // What the driver said before must stand before what the command says.
            batch.send()
            guard requests.exec(request) else {
                throw RefusedRecord(reason: "too many commands wait for their turn")
            }
        case .output(let key, let value):
            try RefusedRecord.check(statement.outputs.count, below: Bound.outputs, "outputs")
            statement.outputs[key] = secrets.masked(value)
            emit(.output(key: key, value: value), bytes: bytes)
        case .mask(let secret):
            try RefusedRecord.check(maskCount, below: Bound.masks, "masks")
            maskCount += 1
            masker.add(secret)
            secrets = masker.current
        case .artifact(let rule):
            try RefusedRecord.check(statement.artifacts.count, below: Bound.artifacts, "artifacts")
            statement.artifacts.append(rule)
        case .preview(let rule): statement.preview = rule
        case .error(let error): statement.error = error
        case .end(let status, let message): statement.end = (status, message.map(secrets.masked))
        default: break
        }
    }

    private func stage(_ change: StageChange, bytes: Int) throws(RefusedRecord) {
        switch change.op {
        case .start:
            try RefusedRecord.check(stageCount, below: Bound.stages, "stages")
            stageCount += 1
            // The next stage ends those that it is not a child of.
            let depth = change.parent.flatMap { stages.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
            endStages(from: depth, .ok)
            stages.append(change.stage)
        case .end:
            if let index = stages.firstIndex(of: change.stage) {
                endStages(from: index + 1, change.status ?? .ok)
                stages.removeLast()
            }
        case .skip: break
        }
        var told = change
        if change.op == .start, let stage = known.first(where: { $0.id == change.stage }) {
            told.title = change.title ?? stage.title
            told.weight = change.weight ?? stage.weight
        }
        emit(.stage(told), bytes: bytes)
    }

    private func endStages(from depth: Int, _ status: StageChange.Status) {
        while stages.count > depth, let stage = stages.popLast() {
            batch.add(.stage(StageChange(stage: stage, op: .end, status: status)), via: .host)
        }
    }
}
