// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What went to which hosts, and what was refused: added up by host, port and verdict.
package struct NetworkLedger: Sendable {
    /// The most lines of each verdict; hostile code chooses the names, so they must not grow without end, and names that were
    /// refused must not take the place of those that were reached.
    package static let mostLines = 256
    /// The host of the line that stands for all beyond those.
    package static let others = "(others)"

    private struct Key: Hashable {
        var host: String
        var port: UInt16
        var verdict: NetworkUse.Verdict
    }

    private var byKey: [Key: NetworkUse] = [:]
    private var allowed = 0
    private var denied = 0

    package init() {}

    /// The lines of several ledgers, as one.
    package init(joining lists: [NetworkUse]...) {
        for use in lists.joined() { add(use) }
    }

    /// Writes down a connection that has ended, or was refused; or a line of another ledger.
    package mutating func add(_ use: NetworkUse) {
        var use = use
        var key = Key(host: use.host, port: use.port, verdict: use.verdict)
        let isAllowed = use.verdict.isAllowed
        if byKey[key] == nil, (isAllowed ? allowed : denied) >= Self.mostLines {
            use.host = Self.others
            use.port = 0
            use.verdict = isAllowed ? .allowed(rule: "") : .denied(reason: "")
            key = Key(host: use.host, port: use.port, verdict: use.verdict)
        }
        if let known = byKey[key] {
            byKey[key] = known.adding(use)
        } else {
            byKey[key] = use
            if isAllowed { allowed += 1 } else { denied += 1 }
        }
    }

    /// All lines: those that were refused first, then by name.
    package var uses: [NetworkUse] {
        byKey.values.sorted {
            if $0.verdict.isAllowed != $1.verdict.isAllowed { return $1.verdict.isAllowed }
            return ($0.host, $0.port) < ($1.host, $1.port)
        }
    }
}
