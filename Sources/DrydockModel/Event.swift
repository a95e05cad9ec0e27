// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What happened, by kind.
///
/// The fields of every kind stand in `docs/events.md`.
///
/// Nine in ten are lines of logs, which pass through many hands: the others lie elsewhere, so that a line is not as large to
/// copy as the largest of them.
package enum Event: Sendable, Hashable {
    indirect case queued(Queued)
    indirect case started(Started)
    indirect case plan(Planned)
    indirect case step(StepChange)
    indirect case stage(StageChange)
    indirect case progress(Progress)
    indirect case estimate(Estimate)
    case log(LogLine)
    indirect case diag(Diagnostic)
    indirect case tests(TestResults)
    indirect case artifact(Artifact)
    indirect case output(key: String, value: String)
    indirect case notice(title: String, markdown: String)
    indirect case willFail(reason: String)
    indirect case violation(Violation)
    indirect case network(NetworkUse)
    indirect case usage(Usage)
    indirect case preview(PreviewReady)
    indirect case attempt(number: Int, reason: String)
    indirect case cancelRequested(by: String, reason: String)
    indirect case gap(Gap)
    indirect case finished(Finished)
}

/// The build was accepted; written by the worker as the attempt's first record.
package struct Queued: Codable, Hashable, Sendable {
    package var session: SessionID
    package var project: ProjectName
    package var title: String
    package var trigger: Trigger
    /// The uploaded archive; nil where the source is none.
    package var archive: Digest?
    /// Where in the source the project is.
    package var directory: RelativePath
    package var parameters: BuildParameters
    /// When it was accepted.
    package var createdAt: Timestamp

    package init(
        session: SessionID,
        project: ProjectName,
        title: String,
        trigger: Trigger,
        archive: Digest? = nil,
        directory: RelativePath = .top,
        parameters: BuildParameters = BuildParameters(),
        createdAt: Timestamp
    ) {
        self.session = session
        self.project = project
        self.title = title
        self.trigger = trigger
        self.archive = archive
        self.directory = directory
        self.parameters = parameters
        self.createdAt = createdAt
    }
}

/// A worker took the build up.
package struct Started: Codable, Hashable, Sendable {
    /// The attempt's number, from 1.
    package var number: Int
    /// The sandbox level every step of it runs at: `L4`, `L3`, …; a sandbox that would get less does not start.
    package var level: SandboxLevel
    /// What is missing below L4, a sentence each with its remedy.
    package var missing: [String]

    package init(number: Int, level: SandboxLevel, missing: [String]) {
        self.number = number
        self.level = level
        self.missing = missing
    }
}

/// The plan, and how it came about.
package struct Planned: Codable, Hashable, Sendable {
    package var plan: Plan
    /// Why this plan: the project's own file, or which plugin recognised what.
    package var why: String

    package init(plan: Plan, why: String) {
        self.plan = plan
        self.why = why
    }
}

/// A step moved to another state.
package struct StepChange: Codable, Hashable, Sendable {
    package var state: StepState
    package var title: String
    /// Why it did not succeed.
    package var failure: Failure?
    /// From start to end, with a terminal state.
    package var duration: Duration?

    package init(state: StepState, title: String, failure: Failure? = nil, duration: Duration? = nil) {
        self.state = state
        self.title = title
        self.failure = failure
        self.duration = duration
    }
}

/// A stage began, ended or was skipped.
package struct StageChange: Codable, Hashable, Sendable {
    package enum Operation: String, Codable, Sendable, CaseIterable, FieldReadable {
        case start
        case end
        case skip
    }

    package enum Status: String, Codable, Sendable, CaseIterable, FieldReadable {
        case ok
        case failed
    }

    package var stage: StageID
    package var op: Operation
    package var title: String?
    package var parent: StageID?
    package var weight: Double?
    package var status: Status?

    package init(
        stage: StageID,
        op: Operation,
        title: String? = nil,
        parent: StageID? = nil,
        weight: Double? = nil,
        status: Status? = nil
    ) {
        self.stage = stage
        self.op = op
        self.title = title
        self.parent = parent
        self.weight = weight
        self.status = status
    }
}

/// How far a stage is.
///
/// `total` nil = not known.
package struct Progress: Codable, Hashable, Sendable {
    package var stage: StageID?
    package var current: Double
    package var total: Double?
    package var unit: String?
    package var text: String?

    package init(stage: StageID?, current: Double, total: Double?, unit: String? = nil, text: String? = nil) {
        self.stage = stage
        self.current = current
        self.total = total
        self.unit = unit
        self.text = text
    }
}

/// Whether the two output streams of a process are one pipe, so that lines stand in the order in which they were written.
package enum OutputStreams: String, Codable, Sendable, CaseIterable, FieldReadable {
    case together
    /// Every line says which stream it came by; between the two there is no order.
    case apart
}

/// One line of output, already masked, without its newline.
package struct LogLine: Codable, Hashable, Sendable {
    package enum Stream: String, Codable, Sendable, CaseIterable, FieldReadable {
        case out
        case err
        /// Said by Drydock itself.
        case host
        /// Said by the plugin on its own channel.
        case plugin
    }

    package var stream: Stream
    package var stage: StageID?
    package var text: String
    /// `debug info warning error`, where the sayer gave one.
    package var level: String?

    package init(stream: Stream, stage: StageID? = nil, text: String, level: String? = nil) {
        self.stream = stream
        self.stage = stage
        self.text = text
        self.level = level
    }
}

/// A message about a place in the project's files.
package struct Diagnostic: Codable, Hashable, Sendable {
    package enum Severity: String, Codable, Sendable, CaseIterable, FieldReadable {
        case error
        case warning
        case note
    }

    package var severity: Severity
    package var message: String
    package var file: String?
    package var line: Int?
    package var column: Int?
    package var code: String?
    package var hint: String?
    package var url: String?
    package var stage: StageID?

    package init(
        severity: Severity,
        message: String,
        file: String? = nil,
        line: Int? = nil,
        column: Int? = nil,
        code: String? = nil
    ) {
        self.severity = severity
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.code = code
    }
}

extension Diagnostic {
    /// `a.c:3:5: error: message`.
    package var words: String {
        var place = file ?? ""
        if let line { place += ":\(line)" }
        if let column { place += ":\(column)" }
        return (place.isEmpty ? "" : place + ": ") + "\(severity.rawValue): \(message)"
    }
}

/// What a step's sandboxes used, as the kernel counted it.
///
/// nil = not counted at this level.
package struct Usage: Codable, Hashable, Sendable {
    package var wall: Duration
    package var cpu: Duration?
    package var peakMemory: ByteCount?
    package var peakProcesses: Int?
    /// A line for each host, those that were refused too.
    package var network: [NetworkUse]

    package init(
        wall: Duration,
        cpu: Duration? = nil,
        peakMemory: ByteCount? = nil,
        peakProcesses: Int? = nil,
        network: [NetworkUse] = []
    ) {
        self.wall = wall
        self.cpu = cpu
        self.peakMemory = peakMemory
        self.peakProcesses = peakProcesses
        self.network = network
    }
}

/// The result can be looked at.
///
/// The server makes addresses of it: it knows its own host name.
package struct PreviewReady: Codable, Hashable, Sendable {
    package var deploy: DeployID
    /// The directory of the artifacts that is the site's root; empty = all of them.
    package var root: String
    package var spa: Bool

    package init(deploy: DeployID, root: String, spa: Bool) {
        self.deploy = deploy
        self.root = root
        self.spa = spa
    }
}

/// Log that was not kept.
package struct Gap: Codable, Hashable, Sendable {
    package var reason: String
    package var lines: Int
    package var bytes: ByteCount

    package init(reason: String, lines: Int, bytes: ByteCount) {
        self.reason = reason
        self.lines = lines
        self.bytes = bytes
    }
}

/// The attempt's last record.
package struct Finished: Codable, Hashable, Sendable {
    package var outcome: Outcome
    /// From `started` to the end.
    package var duration: Duration
    /// How many `artifact` records come before it; nil in journals from before they were counted.
    package var artifacts: Int?

    package init(outcome: Outcome, duration: Duration, artifacts: Int? = nil) {
        self.outcome = outcome
        self.duration = duration
        self.artifacts = artifacts
    }
}
