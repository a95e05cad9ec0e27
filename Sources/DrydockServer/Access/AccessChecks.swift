// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What decides whether a request is answered.
struct AccessChecks: Sendable {
    let proxies: TrustedProxies
    let access: AccessPolicy
    let gate: Gatekeeper
    let audit: AuditTrail
    /// All connections.
    let ledger: ConnectionLedger
    /// Those that have not shown a token yet.
    let waiting: ConnectionLedger
}
