// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// What went through one proxy, and what did not: added up by host, port and verdict.
final class EgressLedger: Sendable {
    /// The most lines of a ledger; hostile code chooses the names, so they must not grow without end.
    static let mostLines = 256
    /// The host of the line that stands for all beyond those.
    static let others = "(others)"

    private struct Key: Hashable {
        var host: String
        var port: UInt16
        var verdict: NetworkUse.Verdict
    }

    private let lines = Mutex<[Key: NetworkUse]>([:])

    /// Writes down a connection that has ended, or was refused.
    func add(_ use: NetworkUse) {
        lines.withLock { lines in
            var use = use
            var key = Key(host: use.host, port: use.port, verdict: use.verdict)
            if lines[key] == nil, lines.count >= Self.mostLines {
                use.host = Self.others
                use.port = 0
                use.verdict = use.verdict.isAllowed ? .allowed(rule: "") : .denied(reason: "")
                key = Key(host: use.host, port: use.port, verdict: use.verdict)
            }
            lines[key] = lines[key].map { $0.adding(use) } ?? use
        }
    }

    func add(_ refusal: Refusal) {
        let host = Self.shown(refusal.host)
        add(NetworkUse(host: host, port: refusal.port ?? 0, verdict: .denied(reason: refusal.reason)))
    }

    /// All lines: those that were refused first, then by name.
    var uses: [NetworkUse] {
        lines.withLock { Array($0.values) }.sorted {
            if $0.verdict.isAllowed != $1.verdict.isAllowed { return $1.verdict.isAllowed }
            return ($0.host, $0.port) < ($1.host, $1.port)
        }
    }

    /// A name that a build chose, as far as it can be shown: ASCII that is no control character, and not too long.
    static func shown(_ host: String) -> String {
        let characters = host.unicodeScalars.prefix(HostName.longest).map {
            (0x21...0x7E).contains($0.value) ? Character($0) : "?"
        }
        return String(characters)
    }
}
