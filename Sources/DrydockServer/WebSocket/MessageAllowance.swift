// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// How much a client may still say: a burst, which fills up again at a steady rate.
struct MessageAllowance: Sendable {
    private let burst: Int64
    /// Time after which one more message is allowed.
    private let interval: Int64
    /// When the burst will be, or was, whole again.
    private var whole: NIODeadline

    init(burst: Int, perSecond: Int, now: NIODeadline) {
        self.burst = Int64(max(1, burst))
        self.interval = 1_000_000_000 / Int64(max(1, perSecond))
        self.whole = now
    }

    /// Takes one message; false when the client said too much.
    mutating func take(at now: NIODeadline) -> Bool {
        let next = max(whole, now) + .nanoseconds(interval)
        guard next - now <= .nanoseconds(interval * burst) else { return false }
        whole = next
        return true
    }
}
