// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How many records a plugin gets through: 500 a second, a million a run.
struct RecordQuota {
    static let perSecond = 500
    static let perRun = 1_000_000

    enum Answer {
        case admitted
        /// More than there may be in this second.
        case tooFast
        /// More than there may be in a run.
        case exhausted
    }

    private var second: ContinuousClock.Instant
    private var inSecond = 0
    private var total = 0

    init(now: ContinuousClock.Instant) { second = now }

    mutating func count(now: ContinuousClock.Instant) -> Answer {
        total += 1
        if total > Self.perRun { return .exhausted }
        if now - second >= .seconds(1) { (second, inSecond) = (now, 0) }
        inSecond += 1
        return inSecond > Self.perSecond ? .tooFast : .admitted
    }
}

/// Progress thinned out: the newest value always gets through in the end, but not every one before it.
struct ProgressThrottle<Value: Equatable> {
    private let interval: Duration
    private var last: (at: ContinuousClock.Instant, value: Value)?
    private var pending: Value?

    init(interval: Duration) { self.interval = interval }

    /// The value, when it is time to show one again.
    mutating func admit(_ value: Value, now: ContinuousClock.Instant) -> Value? {
        pending = value
        return due(now: now)
    }

    /// A value that was held back and whose time has come.
    mutating func due(now: ContinuousClock.Instant) -> Value? {
        if let last, now - last.at < interval { return nil }
        return flush(now: now)
    }

    /// The value that was held back, whatever the time.
    mutating func flush(now: ContinuousClock.Instant) -> Value? {
        guard let value = pending else { return nil }
        pending = nil
        guard last?.value != value else { return nil }
        last = (now, value)
        return value
    }
}
