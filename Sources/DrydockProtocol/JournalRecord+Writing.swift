// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

// The order of the keys here is the order of the tables in docs/events.md.

extension JournalRecord {
    /// Writes the record's keys, then those of its kind.
    func write(to writer: inout JSONWriter) {
        writer.key("seq")
        writer.integer(seq)
        writer.key("ts")
        writer.thousandths(at.milliseconds)
        writer.field("build", build.rawValue)
        writer.field("attempt", attempt.rawValue)
        writer.field("kind", event.kind.rawValue)
        writer.field("v", JournalCodec.version)
        writer.field("via", via.rawValue)
        writer.field("step", step?.rawValue)
        event.write(to: &writer)
    }
}

extension JournalCodec {
    /// `event` as its record has it: kind, version and fields, without what makes it one of a journal.
    package static func fields(of event: Event) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("kind", event.kind.rawValue)
            writer.field("v", version)
            event.write(to: &writer)
        }
        return writer.bytes
    }
}

/// A kind's name on the wire.
package enum EventKind: String, Sendable, CaseIterable {
    case queued, started, plan, step, stage, progress, estimate, log, diag, tests, artifact, output, notice
    case willFail = "will_fail"
    case violation, network, usage, preview, attempt
    case cancelRequested = "cancel_requested"
    case gap, finished
}

extension Event {
    /// The kind's name on the wire.
    package var kind: EventKind {
        switch self {
        case .queued: .queued
        case .started: .started
        case .plan: .plan
        case .step: .step
        case .stage: .stage
        case .progress: .progress
        case .estimate: .estimate
        case .log: .log
        case .diag: .diag
        case .tests: .tests
        case .artifact: .artifact
        case .output: .output
        case .notice: .notice
        case .willFail: .willFail
        case .violation: .violation
        case .network: .network
        case .usage: .usage
        case .preview: .preview
        case .attempt: .attempt
        case .cancelRequested: .cancelRequested
        case .gap: .gap
        case .finished: .finished
        }
    }

    /// Writes the fields of the kind.
    fileprivate func write(to writer: inout JSONWriter) {
        switch self {
        case .log(let line): line.write(to: &writer)  // first: nine in ten
        case .queued(let queued): queued.write(to: &writer)
        case .started(let started): started.write(to: &writer)
        case .plan(let planned):
            writer.key("plan")
            writer.object { planned.plan.write(to: &$0) }
            writer.field("why", planned.why)
        case .step(let change): change.write(to: &writer)
        case .stage(let change): change.write(to: &writer)
        case .progress(let progress): progress.write(to: &writer)
        case .estimate(let estimate): estimate.write(to: &writer)
        case .diag(let diagnostic): diagnostic.write(to: &writer)
        case .tests(let tests): tests.write(to: &writer)
        case .artifact(let artifact): artifact.write(to: &writer)
        case .output(let key, let value):
            writer.field("key", key)
            writer.field("value", value)
        case .notice(let title, let markdown):
            writer.field("title", title)
            writer.field("markdown", markdown)
        case .willFail(let reason): writer.field("reason", reason)
        case .violation(let violation): violation.write(to: &writer)
        case .network(let use): use.write(to: &writer)
        case .usage(let usage): usage.write(to: &writer)
        case .preview(let preview): preview.write(to: &writer)
        case .attempt(let number, let reason):
            writer.field("number", number)
            writer.field("reason", reason)
        case .cancelRequested(let by, let reason):
            writer.field("by", by)
            writer.field("reason", reason)
        case .gap(let gap): gap.write(to: &writer)
        case .finished(let finished): finished.write(to: &writer)
        }
    }
}

extension Estimate {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("percent", percent)
        writer.field("least_s", remaining?.lowerBound)
        writer.field("most_s", remaining?.upperBound)
        if isOverdue { writer.field("overdue", true) }
    }
}

extension Queued {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("session", session.rawValue)
        writer.field("project", project.rawValue)
        writer.field("title", title)
        writer.field("trigger", trigger.rawValue)
        writer.field("archive", archive?.rawValue)
        if directory != .top { writer.field("directory", directory.rawValue) }
        if !parameters.isEmpty {
            writer.key("params")
            writer.texts(parameters.values)
        }
        writer.key("created_at")
        writer.thousandths(createdAt.milliseconds)
    }
}

extension Started {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("number", number)
        writer.field("level", level.rawValue)
        writer.field("missing", missing)
    }
}

extension StepChange {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("state", state.rawValue)
        writer.field("title", title)
        writer.field("failure", failure)
        writer.field("duration_ms", duration)
    }
}

extension StageChange {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("stage", stage.rawValue)
        writer.field("op", op.rawValue)
        writer.field("title", title)
        writer.field("parent", parent?.rawValue)
        writer.field("weight", weight)
        writer.field("status", status?.rawValue)
    }
}

extension Progress {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("stage", stage?.rawValue)
        writer.field("current", current)
        writer.field("total", total)
        writer.field("unit", unit)
        writer.field("text", text)
    }
}

extension LogLine {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("stream", stream.rawValue)
        writer.field("stage", stage?.rawValue)
        writer.field("text", text)
        writer.field("level", level)
    }
}

extension Diagnostic {
    func write(to writer: inout JSONWriter) {
        writer.field("severity", severity.rawValue)
        writer.field("message", message)
        writer.field("file", file)
        writer.field("line", line)
        writer.field("column", column)
        writer.field("code", code)
        writer.field("hint", hint)
        writer.field("url", url)
        writer.field("stage", stage?.rawValue)
    }
}

extension Artifact {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("path", path)
        writer.field("digest", digest.rawValue)
        writer.field("size", size)
        writer.field("role", role.rawValue)
        writer.field("executable", executable)
    }
}

extension Violation {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("call", call)
        writer.field("target", target)
        writer.field("error", error)
        writer.field("wants", wants)
        writer.field("allow", allow)
        writer.field("pid", pid)
        writer.field("program", program)
        writer.field("stage", stage?.rawValue)
        if count != 1 { writer.field("count", count) }
        if isProbe { writer.field("probe", true) }
    }
}

extension NetworkUse {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("host", host)
        writer.field("port", Int(port))
        switch verdict {
        case .allowed(let rule):
            writer.field("allowed", true)
            writer.field("rule", rule)
        case .denied(let reason):
            writer.field("allowed", false)
            writer.field("reason", reason)
        }
        writer.field("connections", connections)
        writer.field("sent", sent)
        writer.field("received", received)
        writer.field("duration_ms", duration)
    }
}

extension Usage {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("wall_ms", wall)
        writer.field("cpu_ms", cpu)
        writer.field("peak_memory", peakMemory)
        writer.field("peak_processes", peakProcesses)
        guard !network.isEmpty else { return }
        writer.key("network")
        writer.array(network) { writer, use in writer.object { use.write(to: &$0) } }
    }
}

extension PreviewReady {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("deploy", deploy.rawValue)
        writer.field("root", root)
        writer.field("spa", spa)
    }
}

extension Gap {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("reason", reason)
        writer.field("lines", lines)
        writer.field("bytes", bytes)
    }
}

extension Finished {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("outcome", outcome.state.rawValue)
        writer.field("failure", outcome.failure)
        writer.field("duration_ms", duration)
        writer.field("artifacts", artifacts)
    }
}
