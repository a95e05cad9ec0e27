// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

/// Shows a build as its journal grows; told every record in order, and the moment it ends.
protocol TerminalView {
    /// Shows one record.
    mutating func show(_ record: JournalRecord)

    /// Redraws what moves with time; called a few times a second.
    mutating func tick(at now: Timestamp)

    /// Leaves the terminal as it should be found.
    mutating func close()
}

extension TerminalView {
    mutating func tick(at now: Timestamp) {}
    mutating func close() {}
}

/// The words that the views share.
enum BuildWords {
    /// `45.2s`, `3m 07s`.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.milliseconds)
        let seconds = milliseconds / 1_000
        if seconds < 60 { return "\(seconds).\(milliseconds % 1_000 / 100)s" }
        let rest = seconds % 60
        return "\(seconds / 60)m \(rest < 10 ? "0" : "")\(rest)s"
    }

    /// The last lines of a build, as a person reads them.
    static func ending(_ finished: Finished) -> [String] {
        let time = duration(finished.duration)
        guard let failure = finished.outcome.failure else { return ["build succeeded in \(time)"] }
        var lines = [
            "build \(finished.outcome.state.rawValue) after \(time) [\(failure.code.rawValue)]",
            "  \(failure.place)\(failure.message)",
        ]
        lines += failure.details.map(details) ?? []
        if let hint = failure.hint { lines.append("  try: \(hint)") }
        return lines
    }

    /// `[=====>              ]  27 %`.
    static func bar(_ percent: Int) -> String {
        let width = 20
        let full = percent * width / 100
        let bar = String(repeating: "=", count: full) + (full < width ? ">" : "")
        let number = String(repeating: " ", count: percent < 10 ? 1 : 0) + "\(percent) %"
        return "[\(bar)\(String(repeating: " ", count: width - bar.count))] \(number)"
    }

    /// `about 40 s left`, `1 to 3 min left`, `longer than usual`; nil while nobody can say.
    static func remaining(_ estimate: Estimate) -> String? {
        if estimate.isOverdue { return "longer than usual" }
        guard let remaining = estimate.remaining else { return nil }
        let (least, most) = (remaining.lowerBound, remaining.upperBound)
        if most < 90 { return least == most ? "about \(most) s left" : "\(least) to \(most) s left" }
        let (from, to) = (least / 60, (most + 59) / 60)
        return from == to ? "about \(to) min left" : "\(from) to \(to) min left"
    }

    /// The place in the source, the command, and the output that tells most: the project's text, marked by what stands before it.
    static func details(_ details: FailureDetails) -> [String] {
        var lines: [String] = []
        if let source = details.source { lines += source.words.map { "  \($0)" } }
        if let command = details.command {
            lines.append("  ran: \(command.split(whereSeparator: \.isNewline).joined(separator: "; "))")
        }
        if let status = details.status { lines.append("  \(status)") }
        if !details.output.isEmpty { lines.append("  output:") }
        lines += details.output.map { "  | \($0)" }
        if let tests = details.tests {
            lines.append("  \(tests.words)")
            lines += tests.failures.map { "    \($0.words)" }
        }
        if let changes = details.changes { lines.append("  \(changes.words)") }
        return lines + details.blocked.map { "  \($0.words)" }
    }

    /// `network: pypi.org:443: 3 connections, 12KiB sent, 4MiB received`, with the rule where that says more than the host.
    static func network(_ use: NetworkUse) -> String {
        let host = use.host + (use.port == 0 ? "" : ":\(use.port)")
        let count = use.connections == 1 ? "1 connection" : "\(use.connections) connections"
        switch use.verdict {
        case .allowed(let rule):
            let plain = [host, use.host, ""].contains(rule) ? "" : " (by \(rule))"
            return "network: \(host): \(count), \(use.sent) sent, \(use.received) received\(plain)"
        case .denied(let reason): return "network: refused: \(host) \(reason) (\(count))"
        }
    }
}
