// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DequeModule
import DrydockModel
import DrydockOS
import DrydockProtocol
import FoundationEssentials
import Synchronization

/// Gives out tickets: what opens one thing once, soon, where only an address can carry what opens it.
///
/// Addresses stand in logs and histories; a ticket that is read there is worth nothing any more. Only digests are kept, and only
/// in memory: a server that starts anew knows none.
final class TicketOffice: Sendable {
    /// How long a ticket is good for.
    static let lifetime = Duration.seconds(30)

    private struct Ticket {
        let caller: Caller
        let end: ContinuousClock.Instant
    }

    private struct State {
        var tickets: [Digest: Ticket] = [:]
        /// In the order of their ends; those that were used are still in it.
        var ends: Deque<(digest: Digest, end: ContinuousClock.Instant)> = []
        var byToken: [String: Int] = [:]

        mutating func take(_ digest: Digest) -> Ticket? {
            guard let ticket = tickets.removeValue(forKey: digest) else { return nil }
            let count = byToken[ticket.caller.scope, default: 1]
            byToken[ticket.caller.scope] = count > 1 ? count - 1 : nil
            return ticket
        }

        mutating func forget(before now: ContinuousClock.Instant) {
            while let first = ends.first, first.end <= now {
                ends.removeFirst()
                _ = take(first.digest)
            }
        }
    }

    private let most: Int
    private let mostPerToken: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// So many tickets may be there that were neither used nor are too old, in all and of one token.
    ///
    /// `now` is no clock on a wall: who sets that gives no ticket a longer life, and ends none.
    init(
        most: Int = 4_096,
        perToken: Int = 64,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.most = most
        self.mostPerToken = perToken
        self.now = now
    }

    /// A new ticket, which lets in whom `caller` describes.
    ///
    /// Throws when there are too many.
    func issue(to caller: Caller) throws(Problem) -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        // The alphabet that addresses carry as it is (RFC 4648, section 5).
        let text = Data(bytes).base64EncodedString().filter { $0 != "=" }
            .replacing("+", with: "-").replacing("/", with: "_")
        let (digest, time) = (SHA256Hasher.digest(of: text.utf8), now())
        let isIssued = state.withLock { state in
            state.forget(before: time)
            // Those that were used need not be remembered.
            if state.ends.count >= 2 * most { state.ends.removeAll { state.tickets[$0.digest] == nil } }
            guard state.tickets.count < most, state.byToken[caller.scope, default: 0] < mostPerToken else {
                return false
            }
            let end = time.advanced(by: Self.lifetime)
            state.tickets[digest] = Ticket(caller: caller, end: end)
            state.ends.append((digest, end))
            state.byToken[caller.scope, default: 0] += 1
            return true
        }
        guard isIssued else {
            throw Problem(
                429,
                "too_many_tickets",
                "too many tickets were asked for that nobody used",
                hint: "ask for one when it is needed; each is good for 30 seconds"
            )
        }
        return text
    }

    /// Uses a ticket up, and says whom it lets in; nil where it is none, was used or is too old.
    func redeem(_ text: String) -> Caller? {
        let (digest, time) = (SHA256Hasher.digest(of: text.utf8), now())
        guard let ticket = state.withLock({ $0.take(digest) }), time < ticket.end else { return nil }
        return ticket.caller
    }
}
