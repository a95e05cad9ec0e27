// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// The ledger of one proxy, which all of its connections write.
final class EgressLedger: Sendable {
    private let ledger = Mutex(NetworkLedger())

    /// Writes down a connection that has ended, or was refused.
    func add(_ use: NetworkUse) { ledger.withLock { $0.add(use) } }

    func add(_ refusal: Refusal) {
        let host = Self.shown(refusal.host)
        add(NetworkUse(host: host, port: refusal.port ?? 0, verdict: .denied(reason: refusal.reason)))
    }

    /// All lines: those that were refused first, then by name.
    var uses: [NetworkUse] { ledger.withLock(\.self).uses }

    /// A name that a build chose, as far as it can be shown: ASCII that is no control character, and not too long.
    static func shown(_ host: String) -> String {
        let characters = host.unicodeScalars.prefix(HostName.longest).map {
            (0x21...0x7E).contains($0.value) ? Character($0) : "?"
        }
        return String(characters)
    }
}
