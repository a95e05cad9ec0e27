// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A message of wire profile 1, without its envelope; `docs/wire.md` has the keys of each.
package enum Profile1Message: Sendable {
    /// `build_event`: records that follow each other, each as its line of the journal.
    case events(BuildID, AttemptID, [JournalText])
    /// `BUILD_STARTED`
    case started(BuildPicture)
    /// `build_snapshot`: all that is known at a place, for who can not be told how it came to be.
    case snapshot(BuildPicture)
    /// `build_progress`
    case progress(BuildPicture)
    /// `build_completed` or `build_error`; `previewHost` is where its preview is.
    case ended(BuildPicture, BuildEnding, previewHost: String?)
    /// `gap`: the records between the two places will not come.
    case gap(BuildID, from: Cursor?, to: Cursor?, reason: String)

    /// A record's number and its line, without its newline.
    package typealias JournalText = (seq: UInt64, bytes: [UInt8])

    /// The name of its type on the wire.
    package var type: String {
        switch self {
        case .events: "build_event"
        case .started: "BUILD_STARTED"
        case .snapshot: "build_snapshot"
        case .progress: "build_progress"
        case .ended(_, let end, _): end.outcome.state == .succeeded ? "build_completed" : "build_error"
        case .gap: "gap"
        }
    }

    /// UTF-8 JSON of the whole message.
    package func encoded(in envelope: Envelope) -> [UInt8] {
        envelope.wrap(type: type, reserving: size) { writer in
            switch self {
            case .events(let build, let attempt, let lines):
                writer.field("build_id", build.rawValue)
                writer.field("attempt", attempt.rawValue)
                writer.key("first")
                writer.integer(lines.first?.seq ?? 0)
                writer.key("seq")
                writer.integer(lines.last?.seq ?? 0)
                writer.key("records")
                writer.array(lines) { writer, line in writer.raw(line.bytes) }
            case .started(let picture):
                picture.writeName(to: &writer)
                picture.writePlace(to: &writer)
            case .snapshot(let picture):
                picture.writeName(to: &writer)
                picture.writeState(to: &writer)
                picture.writeParts(to: &writer)
            case .progress(let picture):
                writer.field("type", "build_progress")
                writer.field("build_id", picture.build.rawValue)
                picture.writeState(to: &writer)
            case .ended(let picture, let end, let host): end.write(picture, host, to: &writer)
            case .gap(let build, let from, let to, let reason):
                writer.field("build_id", build.rawValue)
                for (name, place) in [("from", from), ("to", to)] as [(StaticString, Cursor?)] {
                    guard let place else { continue }
                    writer.key(name)
                    writer.object { place.write(to: &$0) }
                }
                writer.field("reason", reason)
            }
        }
    }

    /// About how many bytes it takes.
    private var size: Int {
        guard case .events(_, _, let lines) = self else { return 4 << 10 }
        return lines.reduce(512) { $0 + $1.bytes.count + 1 }
    }
}

extension Cursor {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("epoch", attempt.rawValue)
        writer.key("seq")
        writer.integer(seq)
    }
}

extension BuildPicture {
    fileprivate func writeName(to writer: inout JSONWriter) {
        writer.field("build_id", build.rawValue)
        writer.field("project", project.rawValue)
        writer.field("title", title)
    }

    /// The last record that this rests on; nothing where there was none yet.
    fileprivate func writePlace(to writer: inout JSONWriter) {
        guard let cursor else { return }
        writer.field("attempt", cursor.attempt.rawValue)
        writer.key("seq")
        writer.integer(cursor.seq)
    }

    /// What changes while it runs.
    fileprivate func writeState(to writer: inout JSONWriter) {
        writer.key("message")
        writer.quoted(QuotedText(headline).clipped(to: Profile0Fold.longestLine))
        writer.key("logs")
        writer.array(lines.texts) { writer, line in writer.quoted(line) }
        writePlace(to: &writer)
        writer.field("state", state.rawValue)
        writer.field("position", position)
        if let estimate {
            writer.field("percent", estimate.percent)
            if let remaining = estimate.remaining {
                writer.key("eta")
                writer.object { writer in
                    writer.field("least_s", remaining.lowerBound)
                    writer.field("most_s", remaining.upperBound)
                    if estimate.isOverdue { writer.field("overdue", true) }
                }
            }
        }
        if let stage = stages.last(where: { $0.state == .running }) {
            writer.key("stage")
            writer.object { stage.write(to: &$0) }
        }
    }

    /// Steps and stages, all of them.
    fileprivate func writeParts(to writer: inout JSONWriter) {
        writer.key("steps")
        writer.array(steps) { writer, step in
            writer.object { writer in
                writer.field("id", step.id.rawValue)
                writer.field("title", step.title)
                writer.field("state", step.state.rawValue)
                writer.field("duration_ms", step.duration)
            }
        }
        writer.key("stages")
        writer.array(stages) { writer, stage in writer.object { stage.write(to: &$0) } }
    }

    /// What came of it.
    fileprivate func writeResults(_ previewHost: String?, to writer: inout JSONWriter) {
        writer.field("artifacts", artifacts)
        writer.field("preview", previewHost)
        guard let usage else { return }
        writer.key("usage")
        writer.object { writer in
            writer.field("wall_ms", usage.wall)
            writer.field("cpu_ms", usage.cpu)
            writer.field("peak_memory", usage.peakMemory)
            writer.field("peak_processes", usage.peakProcesses)
        }
    }
}

extension BuildPicture.Stage {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("step", step?.rawValue)
        writer.field("id", id.rawValue)
        writer.field("title", title)
        writer.field("state", state.rawValue)
        guard let progress else { return }
        writer.field("current", progress.current)
        writer.field("total", progress.total)
        writer.field("unit", progress.unit)
        writer.field("text", progress.text)
    }
}

extension BuildEnding {
    /// The keys of profile 0's terminal message, and what is known beside.
    fileprivate func write(_ picture: BuildPicture, _ host: String?, to writer: inout JSONWriter) {
        Profile0Fold.terminal(outcome, duration).write(to: &writer)
        writer.field("build_id", picture.build.rawValue)
        picture.writePlace(to: &writer)
        writer.field("outcome", outcome.state.rawValue)
        if outcome.state != .succeeded {
            writer.field("build_time_ms", duration)
            writer.field("code", outcome.failure?.code.rawValue)
            writer.field("fault", outcome.failure?.fault.rawValue)
            writer.field("diagnosis", outcome.failure)
        }
        picture.writeParts(to: &writer)
        picture.writeResults(host, to: &writer)
    }
}
