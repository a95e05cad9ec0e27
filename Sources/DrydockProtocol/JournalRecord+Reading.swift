// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

extension JournalRecord {
    /// A record from whoever wrote it; nil for a kind or version that this code does not know.
    init?(_ fields: Fields) throws(FieldProblem) {
        let seq: UInt64 = try fields.required("seq")
        let at: Timestamp = try fields.required("ts")
        let build: BuildID = try fields.required("build")
        let attempt: AttemptID = try fields.required("attempt")
        let name: String = try fields.required("kind")
        let version: Int = try fields.required("v")
        guard let kind = EventKind(rawValue: name), version <= JournalCodec.version else { return nil }
        self.init(
            seq: seq,
            at: at,
            build: build,
            attempt: attempt,
            via: try fields.required("via"),
            step: try fields.optional("step"),
            event: try Event(kind, fields)
        )
    }
}

extension Event {
    fileprivate init(_ kind: EventKind, _ fields: Fields) throws(FieldProblem) {
        self =
            switch kind {
            case .queued: .queued(try Queued(fields))
            case .started: .started(try Started(fields))
            case .plan:
                .plan(Planned(plan: try fields.required("plan"), why: try fields.required("why")))
            case .step: .step(try StepChange(fields))
            case .stage: .stage(try StageChange(fields))
            case .progress: .progress(try Progress(fields))
            case .estimate: .estimate(try Estimate(fields))
            case .log: .log(try LogLine(fields))
            case .diag: .diag(try Diagnostic(fields))
            case .tests: .tests(try TestResults(fields))
            case .artifact: .artifact(try Artifact(fields))
            case .output: .output(key: try fields.required("key"), value: try fields.required("value"))
            case .notice:
                .notice(title: try fields.required("title"), markdown: try fields.required("markdown"))
            case .willFail: .willFail(reason: try fields.required("reason"))
            case .violation: .violation(try Violation(fields))
            case .network: .network(try NetworkUse(fields))
            case .usage: .usage(try Usage(fields))
            case .preview: .preview(try PreviewReady(fields))
            case .attempt:
                .attempt(number: try fields.required("number"), reason: try fields.required("reason"))
            case .cancelRequested:
                .cancelRequested(by: try fields.required("by"), reason: try fields.required("reason"))
            case .gap: .gap(try Gap(fields))
            case .finished: .finished(try Finished(fields))
            }
    }
}

extension Estimate {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        let least: Int? = try fields.optional("least_s")
        let most: Int? = try fields.optional("most_s")
        var remaining: ClosedRange<Int>?
        if let least, let most, least <= most { remaining = least...most }
        self.init(
            percent: try fields.required("percent").integer(in: 0...99),
            remaining: remaining,
            isOverdue: try fields.optional("overdue") ?? false
        )
    }
}

extension Queued {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            session: try fields.required("session"),
            project: try fields.required("project"),
            title: try fields.required("title"),
            trigger: try fields.required("trigger"),
            archive: try fields.optional("archive"),
            directory: try fields.optional("directory") ?? .top,
            parameters: try fields.optional("params") ?? BuildParameters(),
            createdAt: try fields.required("created_at")
        )
    }
}

extension Started {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            number: try fields.required("number"),
            level: try fields.required("level"),
            missing: try fields.required("missing")
        )
    }
}

extension StepChange {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            state: try fields.required("state"),
            title: try fields.required("title"),
            failure: try fields.optional("failure"),
            duration: try fields.optionalDuration("duration_ms")
        )
    }
}

extension StageChange {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            stage: try fields.required("stage"),
            op: try fields.required("op"),
            title: try fields.optional("title"),
            parent: try fields.optional("parent"),
            weight: try fields.optional("weight"),
            status: try fields.optional("status")
        )
    }
}

extension Progress {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            stage: try fields.optional("stage"),
            current: try fields.required("current"),
            total: try fields.optional("total"),
            unit: try fields.optional("unit"),
            text: try fields.optional("text")
        )
    }
}

extension LogLine {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            stream: try fields.required("stream"),
            stage: try fields.optional("stage"),
            text: try fields.required("text"),
            level: try fields.optional("level")
        )
    }
}

extension Diagnostic: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) { try self.init(try field.fields()) }

    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            severity: try fields.required("severity"),
            message: try fields.required("message"),
            file: try fields.optional("file"),
            line: try fields.optional("line"),
            column: try fields.optional("column"),
            code: try fields.optional("code")
        )
        hint = try fields.optional("hint")
        url = try fields.optional("url")
        stage = try fields.optional("stage")
    }
}

extension Artifact {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            path: try fields.required("path"),
            digest: try fields.required("digest"),
            size: try fields.required("size"),
            role: try fields.required("role"),
            executable: try fields.required("executable")
        )
    }
}

extension Violation {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            call: try fields.required("call"),
            target: try fields.optional("target"),
            error: try fields.optional("error"),
            wants: try fields.optional("wants"),
            allow: try fields.optional("allow"),
            pid: try fields.optional("pid"),
            program: try fields.optional("program"),
            stage: try fields.optional("stage"),
            count: try fields.optional("count") ?? 1,
            isProbe: try fields.optional("probe") ?? false
        )
    }
}

extension Usage {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            wall: try fields.duration("wall_ms"),
            cpu: try fields.optionalDuration("cpu_ms"),
            peakMemory: try fields.optional("peak_memory"),
            peakProcesses: try fields.optional("peak_processes"),
            network: try fields["network"]?.list { field throws(FieldProblem) in
                try NetworkUse(try field.fields())
            } ?? []
        )
    }
}

extension NetworkUse {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        let isAllowed: Bool = try fields.required("allowed")
        self.init(
            host: try fields.required("host"),
            port: UInt16(try fields.required("port").integer(in: 0...65_535)),
            verdict: isAllowed
                ? .allowed(rule: try fields.required("rule"))
                : .denied(reason: try fields.required("reason")),
            connections: try fields.required("connections"),
            sent: try fields.required("sent"),
            received: try fields.required("received"),
            duration: try fields.duration("duration_ms")
        )
    }
}

extension PreviewReady {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            deploy: try fields.required("deploy"),
            root: try fields.required("root"),
            spa: try fields.required("spa")
        )
    }
}

extension Gap {
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            reason: try fields.required("reason"),
            lines: try fields.required("lines"),
            bytes: try fields.required("bytes")
        )
    }
}

extension Finished {
    /// The failure decides the outcome's state, as in `Outcome.init(_:)`; `outcome` on the wire is for other readers.
    fileprivate init(_ fields: Fields) throws(FieldProblem) {
        self.init(
            outcome: (try fields.optional("failure") as Failure?).map { Outcome($0) } ?? .succeeded,
            duration: try fields.duration("duration_ms"),
            artifacts: try fields.optional("artifacts")
        )
    }
}

extension Failure: FieldReadable {
    /// A code that a newer Drydock made counts as `internal`.
    package init(_ field: Field) throws(FieldProblem) {
        let fields = try field.fields()
        let code: String = try fields.required("code")
        self.init(
            FailureCode(rawValue: code) ?? .internal,
            try fields.required("fault"),
            try fields.required("message"),
            hint: try fields.optional("hint"),
            file: try fields.optional("file"),
            line: try fields.optional("line")
        )
        details = try fields.optional("details")
    }
}

extension Fields {
    func duration(_ name: String) throws(FieldProblem) -> Duration {
        .milliseconds(try required(name) as Int64)
    }

    func optionalDuration(_ name: String) throws(FieldProblem) -> Duration? {
        (try optional(name) as Int64?).map { .milliseconds($0) }
    }
}
