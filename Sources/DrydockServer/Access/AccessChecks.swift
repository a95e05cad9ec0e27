// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import Logging

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

extension AccessChecks {
    /// As an operator wants them, where there may be so many connections.
    init(
        _ options: ServerOptions,
        _ store: any AccessStore,
        connections: Int,
        now: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        proxies = TrustedProxies(ranges: options.trustedProxies, isSecure: options.certificate != nil)
        access = AccessPolicy(options)
        gate = Gatekeeper(
            store: store,
            listed: options.tokens,
            listensOnLoopback: access.listensOnLoopback,
            tickets: TicketOffice(),
            now: now,
            logger: logger
        )
        audit = AuditTrail(store: store, now: now)
        ledger = ConnectionLedger(
            most: connections,
            perAddress: options.connectionsPerAddress,
            perToken: options.connectionsPerToken
        )
        waiting = ConnectionLedger(most: options.waitingConnections, perAddress: options.waitingPerAddress)
    }
}
