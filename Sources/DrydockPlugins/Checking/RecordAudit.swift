// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockObservers
import DrydockProtocol
import Synchronization

/// What a check of a plugin has to do with a run of it.
package struct StepInspection: Sendable {
    package var audit: RecordAudit
    /// Whether the host says what only a newer one would.
    package var isNovel: Bool

    package init(audit: RecordAudit, isNovel: Bool = false) {
        self.audit = audit
        self.isNovel = isNovel
    }
}

/// Reads along what a plugin writes, and keeps everything that a host passes over or takes otherwise than it is meant.
package final class RecordAudit: Sendable {
    private struct State {
        var lines = 0
        var findings: [PluginFinding] = []
        /// How often each finding came again.
        var again: [Int] = []
        var said: String?
        var saidHello = false
        var end: Int?
        var isBegun = false
        /// The line that declared what is to be below `$DRYDOCK_OUT`.
        var declared: [String: Int] = [:]
        var heard: [String] = []
    }

    private let plugin: Plugin
    /// Those that its commands may name.
    private let observers: Set<ObserverName>
    private let begun: @Sendable () -> Void
    private let state = Mutex(State())

    /// Findings that are kept.
    private static let most = 100
    /// Characters of a line that are shown.
    private static let shown = 160

    /// `begun` is called once its work has begun: with a driver's first command, or a guest's first line.
    package init(
        _ plugin: Plugin,
        observers: Set<ObserverName>,
        begun: @escaping @Sendable () -> Void = {}
    ) {
        self.plugin = plugin
        self.observers = observers
        self.begun = begun
    }

    /// What was found, in the order of the lines.
    package var findings: [PluginFinding] {
        state.withLock { state in
            zip(state.findings, state.again).map { finding, again in
                var finding = finding
                if again > 0 { finding.message += " (and \(again) more like it)" }
                return finding
            } + ending(state)
        }
    }

    /// What it wrote to standard error, the first of it.
    package var heard: [String] { state.withLock { $0.heard } }

    /// The line that declared the artifact which `message` quotes.
    package func line(declaredIn message: String) -> Int? {
        state.withLock { $0.declared.first { message.contains("'\($0.key)'") }?.value }
    }

    private func ending(_ state: State) -> [PluginFinding] {
        guard plugin.manifest.kind == .driver, state.lines > 0, state.end == nil else { return [] }
        guard state.saidHello else {
            let hint = "say hello first and end last: then a driver that dies in the middle is no success"
            return [PluginFinding(.warning, "run", "it says neither \"hello\" nor \"end\"", hint: hint)]
        }
        return [
            PluginFinding(
                .error,
                "run",
                "it said \"hello\", and never \"end\"",
                hint: "write `@dd end ok` last"
            )
        ]
    }

    /// Takes one line of its standard output in.
    func read(_ segment: OutputSegment) {
        let begins = state.withLock { state -> Bool in
            state.lines += 1
            let line = Array(segment.bytes)
            // What is to be masked is shown nowhere.
            let text = String(decoding: line.prefix(Self.shown), as: UTF8.self)
            state.said = text.contains("mask") ? "@dd mask …" : text + (line.count > Self.shown ? "…" : "")
            let isCommand = look(at: line, segment, &state)
            guard !state.isBegun, isCommand || plugin.manifest.kind == .guest else { return false }
            state.isBegun = true
            return true
        }
        if begins { begun() }
    }

    /// Takes one line of its standard error in.
    func hear(_ segment: OutputSegment) {
        state.withLock { state in
            guard state.heard.count < Self.most else { return }
            state.heard.append(String(decoding: segment.bytes.prefix(1_024), as: UTF8.self))
        }
    }

    /// The host did not take the record that was read last.
    func refuse(_ reason: String) {
        state.withLock { say(.error, "the host refuses it: \(reason)", &$0) }
    }

    private func say(
        _ severity: PluginFinding.Severity,
        _ message: String,
        hint: String? = nil,
        _ state: inout State
    ) {
        if let known = state.findings.firstIndex(where: { $0.message == message }) {
            state.again[known] += 1
            return
        }
        guard state.findings.count < Self.most else { return }
        var finding = PluginFinding(severity, "run", message, hint: hint)
        (finding.line, finding.said) = (state.lines, state.said)
        state.findings.append(finding)
        state.again.append(0)
    }

    /// Whether the line asks for a command.
    private func look(at line: [UInt8], _ segment: OutputSegment, _ state: inout State) -> Bool {
        guard segment.startsLine, segment.bytes.starts(with: Array("@dd ".utf8)) else {
            lookAtText(line, &state)
            return false
        }
        guard state.end == nil else {
            say(.error, "nothing after \"end\" counts", &state)
            return false
        }
        guard segment.dropped == 0 else {
            say(.error, "the line is longer than 64 KiB", &state)
            return false
        }
        switch PluginLineDecoder.decode(line) {
        case .malformed(let reason): say(.error, "no valid record: \(reason)", &state)
        case .unknown(let type):
            let hint = Spelling.hint(type, among: PluginRecord.types)
            say(.error, "this version of Drydock does not know the record \"\(type)\"", hint: hint, &state)
        case .log: break
        case .record(let record):
            for stranger in PluginRecord.strangers(of: line) {
                say(.error, "\(stranger.message), which nobody reads", hint: stranger.hint, &state)
            }
            look(at: record, &state)
            if case .exec = record { return true }
        }
        return false
    }

    /// Text that was probably meant as a record.
    private func lookAtText(_ line: [UInt8], _ state: inout State) {
        let start = line.drop { $0 == 0x20 || $0 == 0x09 }.prefix(4)
        let word = String(decoding: start.prefix(3), as: UTF8.self).lowercased()
        let follower = start.dropFirst(3).first
        guard word == "@dd", [nil, 0x20, 0x09, UInt8(ascii: "{"), UInt8(ascii: ":")].contains(follower) else {
            return
        }
        let hint = "a record begins at the first column with the four characters \"@dd \""
        say(.warning, "it looks like a record, and is log text", hint: hint, &state)
    }

    private func look(at record: PluginRecord, _ state: inout State) {
        if plugin.manifest.kind == .guest { return lookAsGuest(record, &state) }
        switch record {
        case .hello: state.saidHello = true
        case .end: state.end = state.lines
        case .artifact(let rule): declare(rule.path.description, &state)
        case .preview(let rule):
            if let root = rule.root { declare(root.rawValue, &state) }
        case .exec(let request):
            for name in request.observers where !observers.contains(name) {
                let hint = Spelling.hint(name.rawValue, among: observers.map(\.rawValue).sorted())
                say(
                    .error,
                    "there is no observer '\(name)': nothing reads the command's output",
                    hint: hint,
                    &state
                )
            }
        default: break
        }
        for stage in record.stages where !plugin.manifest.stages.contains(where: { $0.id == stage }) {
            let hint = stageHint(stage)
            say(.warning, "the manifest has no stage \"\(stage)\": it has no weight", hint: hint, &state)
        }
    }

    private func declare(_ path: String, _ state: inout State) {
        if state.declared.count < 1_000 { state.declared[path] = state.lines }
    }

    private func lookAsGuest(_ record: PluginRecord, _ state: inout State) {
        switch record {
        case .stage(let change) where change.op == .start:
            guard !plugin.manifest.stages.contains(where: { $0.id == change.stage }) else { return }
            let message = "it is log text: the manifest has no stage \"\(change.stage)\""
            say(.error, message, hint: stageHint(change.stage), &state)
        case .stage:
            say(.error, "it is log text: the host ends a guest's stages, and only \"start\" counts", &state)
        case .progress, .expect, .log, .diag: break
        default:
            let message = "it is log text: a guest has no say in \"\(record.type)\""
            let hint =
                record.type == "artifact" || record.type == "preview"
                ? "say it in the manifest's 'provides', or make it a driver" : "a driver has"
            say(.error, message, hint: hint, &state)
        }
    }

    private func stageHint(_ stage: StageID) -> String {
        let known = plugin.manifest.stages.map(\.id.rawValue)
        return Spelling.hint(stage.rawValue, among: known) ?? "add it to the manifest's 'stages'"
    }
}

extension PluginRecord {
    /// The stages that it names.
    fileprivate var stages: [StageID] {
        switch self {
        case .stage(let change): [change.stage] + (change.parent.map { [$0] } ?? [])
        case .progress(let progress): progress.stage.map { [$0] } ?? []
        case .expect(let stage, _): stage.map { [$0] } ?? []
        case .log(let line): line.stage.map { [$0] } ?? []
        case .diag(let diagnostic): diagnostic.stage.map { [$0] } ?? []
        case .exec(let request): request.stage.map { [$0] } ?? []
        default: []
        }
    }
}
