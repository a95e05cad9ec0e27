// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// What went through one proxy, and what did not: added up by host, port and verdict.
final class EgressLedger: Sendable {
    /// The most lines of each verdict; hostile code chooses the names, so they must not grow without end, and names that were
    /// refused must not take the place of those that were reached.
    static let mostLines = 256
    /// The host of the line that stands for all beyond those.
    static let others = "(others)"

    private struct Key: Hashable {
        var host: String
        var port: UInt16
        var verdict: NetworkUse.Verdict
    }

    private struct Lines {
        var byKey: [Key: NetworkUse] = [:]
        var allowed = 0
        var denied = 0
    }

    private let lines = Mutex(Lines())

    /// Writes down a connection that has ended, or was refused.
    func add(_ use: NetworkUse) {
        lines.withLock { lines in
            var use = use
            var key = Key(host: use.host, port: use.port, verdict: use.verdict)
            let isAllowed = use.verdict.isAllowed
            let count = isAllowed ? lines.allowed : lines.denied
            if lines.byKey[key] == nil, count >= Self.mostLines {
                use.host = Self.others
                use.port = 0
                use.verdict = use.verdict.isAllowed ? .allowed(rule: "") : .denied(reason: "")
                key = Key(host: use.host, port: use.port, verdict: use.verdict)
            }
            if let known = lines.byKey[key] {
                lines.byKey[key] = known.adding(use)
            } else {
                lines.byKey[key] = use
                if isAllowed { lines.allowed += 1 } else { lines.denied += 1 }
            }
        }
    }

    func add(_ refusal: Refusal) {
        let host = Self.shown(refusal.host)
        add(NetworkUse(host: host, port: refusal.port ?? 0, verdict: .denied(reason: refusal.reason)))
    }

    /// All lines: those that were refused first, then by name.
    var uses: [NetworkUse] {
        lines.withLock { Array($0.byKey.values) }.sorted {
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
