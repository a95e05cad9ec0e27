// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CoreMetrics
import DrydockModel
import DrydockStore

/// What the server counts and times, each by the name that `/metrics` has for it.
struct ServerMetrics: Sendable {
    private let registry: MetricsRegistry
    private let connections: Meter
    private let connectionsTotal: Counter
    private let sessions: Meter
    private let messages: Counter
    private let bytes: Counter
    private let skipped: Counter
    private let malformedMessages: Counter
    private let records: Counter
    private let lag: Timer
    private let longestLag: Gauge
    private let buildDuration: Timer
    private let queueAge: Gauge
    private let streamViewers: Meter
    private let streamBuilds: Meter
    private let streamLag: Gauge
    private let streamGaps: Counter
    private let proofBreaches: Gauge
    private let proofAge: Gauge

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        connections = Meter(label: "drydock_ws_connections", factory: registry)
        connectionsTotal = Counter(label: "drydock_ws_connections_total", factory: registry)
        sessions = Meter(label: "drydock_ws_sessions", factory: registry)
        messages = Counter(label: "drydock_ws_messages_total", factory: registry)
        bytes = Counter(label: "drydock_ws_bytes_total", factory: registry)
        skipped = Counter(label: "drydock_ws_messages_skipped_total", factory: registry)
        malformedMessages = Counter(label: "drydock_ws_malformed_total", factory: registry)
        records = Counter(label: "drydock_journal_records_told_total", factory: registry)
        lag = Timer(label: "drydock_journal_lag_seconds", factory: registry)
        longestLag = Gauge(label: "drydock_journal_longest_lag_seconds", factory: registry)
        buildDuration = Timer(label: "drydock_build_duration_seconds", factory: registry)
        queueAge = Gauge(label: "drydock_queue_oldest_seconds", factory: registry)
        streamViewers = Meter(label: "drydock_stream_viewers", factory: registry)
        streamBuilds = Meter(label: "drydock_stream_builds", factory: registry)
        streamLag = Gauge(label: "drydock_stream_lag_records", factory: registry)
        streamGaps = Counter(label: "drydock_stream_gaps_total", factory: registry)
        proofBreaches = Gauge(label: "drydock_sandbox_breaches", factory: registry)
        proofAge = Gauge(label: "drydock_sandbox_proof_age_seconds", factory: registry)
    }

    // MARK: What happens

    func connected() {
        connections.increment()
        connectionsTotal.increment()
    }

    func disconnected(skipped count: Int) {
        connections.decrement()
        skipped.increment(by: count)
    }

    func sent(messages count: Int) { messages.increment(by: count) }

    func sent(bytes count: Int) { bytes.increment(by: count) }

    func malformed() { malformedMessages.increment() }

    /// Records were told to a session's viewers, the newest of them so long after it was appended.
    func told(records count: Int, after delay: Duration) {
        records.increment(by: count)
        lag.recordNanoseconds(max(0, delay.milliseconds) * 1_000_000)
    }

    /// A viewer in profile 1 asked to go on from where it can not.
    func lost() { streamGaps.increment() }

    /// A request was answered; `route` is the pattern of an operation's path.
    func answered(_ status: Int, route: String, in time: Duration) {
        Counter(
            label: "drydock_http_requests_total",
            dimensions: [("status", "\(status)")],
            factory: registry
        ).increment()
        let (seconds, attoseconds) = time.components
        Timer(
            label: "drydock_http_request_duration_seconds",
            dimensions: [("route", route), ("class", "\(status / 100)xx")],
            factory: registry
        ).recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// A build has changed to what this row says; nothing changes after its end.
    func changed(_ build: Build) {
        guard build.state.isTerminal, let start = build.startedAt, let end = build.finishedAt else { return }
        buildDuration.recordNanoseconds(max(0, end.since(start).milliseconds) * 1_000_000)
    }

    // MARK: What is shown

    /// Everything as Prometheus reads it; `lag` is how far the slowest session's viewers are behind their journal.
    func text(
        _ counts: StoreCounts,
        _ proof: SandboxProof?,
        sessions count: Int,
        lag: Duration,
        _ streams: StreamReport,
        now: Timestamp
    ) -> String {
        sessions.set(count)
        longestLag.record(lag.inSeconds)
        streamViewers.set(streams.viewers)
        streamBuilds.set(streams.builds)
        streamLag.record(streams.lag)
        if let proof {
            proofBreaches.record(proof.breached.count)
            proofAge.record(max(0, now.since(proof.at).inSeconds))
        }
        queueAge.record(counts.oldestQueued.map { max(0, now.since($0).inSeconds) } ?? 0)
        for state in BuildState.allCases {
            Gauge(label: "drydock_builds", dimensions: [("state", state.rawValue)], factory: registry)
                .record(counts.builds[state] ?? 0)
        }
        return MetricsText.render(registry, help: Self.help)
    }

    private static let help = [
        "drydock_build_duration_seconds": "Time from a build's start to its end.",
        "drydock_builds": "Builds the store knows, by state.",
        "drydock_http_request_duration_seconds":
            "Time from a request's head to its answer's, by route and class of status.",
        "drydock_http_requests_total": "HTTP requests answered, by status.",
        "drydock_journal_lag_seconds": "Age of the newest of the records that were told to viewers together.",
        "drydock_journal_longest_lag_seconds":
            "Age of the newest record that viewers whose sockets are full were told.",
        "drydock_journal_records_told_total": "Records told to the viewers of a session.",
        "drydock_queue_oldest_seconds": "How long the oldest build in the queue has waited.",
        "drydock_ws_bytes_total": "Bytes of frames handed to the sockets of WebSocket connections.",
        "drydock_sandbox_breaches": "Attacks on the sandbox that succeeded when it was last proven.",
        "drydock_sandbox_proof_age_seconds": "How long ago the sandbox was last proven.",
        "drydock_stream_builds": "Builds that are kept for viewers in profile 1.",
        "drydock_stream_gaps_total": "Positions that could not be gone on from, and were told as a gap.",
        "drydock_stream_lag_records": "The most records that a viewer in profile 1 is behind.",
        "drydock_stream_viewers": "Connections that watch a session in profile 1.",
        "drydock_ws_connections": "Open WebSocket connections.",
        "drydock_ws_connections_total": "WebSocket connections so far.",
        "drydock_ws_malformed_total": "Client messages not understood.",
        "drydock_ws_messages_skipped_total":
            "Messages that connections were skipped past, counted when they end.",
        "drydock_ws_messages_total": "Messages sent to connections.",
        "drydock_ws_sessions": "Sessions that are followed.",
    ]
}
