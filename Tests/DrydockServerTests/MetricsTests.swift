// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CoreMetrics
import DrydockModel
import DrydockStore
import Testing

@testable import DrydockServer

@Suite("Metrics", .timeLimit(.minutes(1)))
struct MetricsTests {
    @Test("what was counted, set and timed is rendered as Prometheus reads it, in a fixed order")
    func text() {
        let registry = MetricsRegistry()
        for status in ["404", "200", "404"] {
            Counter(label: "b_total", dimensions: [("status", status)], factory: registry).increment()
        }
        let meter = Meter(label: "a", factory: registry)
        meter.set(3)
        meter.decrement()
        let timer = Timer(label: "c_seconds", dimensions: [("route", "/")], factory: registry)
        timer.recordNanoseconds(25_000_000)
        timer.recordNanoseconds(2_000_000_000_000)
        let lines = MetricsText.render(registry, help: ["a": "Help."]).split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(5) == [
                "# HELP a Help.", "# TYPE a gauge", "a 2", "# TYPE b_total counter",
                #"b_total{status="200"} 1"#,
            ]
        )
        #expect(lines.contains(#"b_total{status="404"} 2"#))
        #expect(lines.contains("# TYPE c_seconds histogram"))
        #expect(lines.contains(#"c_seconds_bucket{route="/",le="0.005"} 0"#))
        #expect(lines.contains(#"c_seconds_bucket{route="/",le="0.025"} 1"#))
        #expect(lines.contains(#"c_seconds_bucket{route="/",le="1000"} 1"#))
        #expect(lines.contains(#"c_seconds_bucket{route="/",le="+Inf"} 2"#))
        #expect(lines.suffix(2) == [#"c_seconds_sum{route="/"} 2000.025"#, #"c_seconds_count{route="/"} 2"#])
    }

    @Test("builds are counted by state, and timed at their end; the queue's age is that of its oldest")
    func builds() async throws {
        try await withServer { server in
            _ = try await server.enqueue("s")
            try await server.begin().finish()
            _ = try await server.enqueue("s")
            // Each look is a request and an answer; the time limit ends it.
            var text = ""
            while !text.contains("drydock_build_duration_seconds_count 1\n") {
                text = try await server.request("GET", "/metrics").text
            }
            #expect(text.contains("drydock_builds{state=\"queued\"} 1\n"))
            #expect(text.contains("drydock_builds{state=\"succeeded\"} 1\n"))
            #expect(text.contains("drydock_builds{state=\"failed\"} 0\n"))
        }
        let counts = StoreCounts(
            builds: [.queued: 2],
            oldestQueued: Timestamp(milliseconds: 1_000),
            revision: 2
        )
        let now = Timestamp(milliseconds: 11_000)
        let proof = SandboxProof(at: Timestamp(milliseconds: 2_000), breached: ["mounting"])
        let streams = StreamReport(viewers: 3, builds: 2, lag: 41)
        let text = ServerMetrics(MetricsRegistry())
            .text(counts, proof, sessions: 0, lag: .seconds(3), streams, now: now)
        #expect(text.contains("drydock_sandbox_breaches 1\n"))
        #expect(text.contains("drydock_sandbox_proof_age_seconds 9\n"))
        #expect(
            text.contains("drydock_stream_viewers 3\n") && text.contains("drydock_stream_lag_records 41\n")
        )
        #expect(text.contains("drydock_queue_oldest_seconds 10\n"))
        #expect(text.contains("drydock_journal_longest_lag_seconds 3\n"))
    }

    @Test("requests are timed by the pattern of their route, never by what a client made up")
    func routes() async throws {
        try await withServer { server in
            for target in ["/api/v1/builds/b_1", "/api/v1/builds/b_2", "/made-up-1", "/made-up-2"] {
                _ = try await server.request("GET", target)
            }
            _ = try await server.request("GET", "/", headers: ["Host": "d-0123456789ab.localhost"])
            let text = try await server.request("GET", "/metrics").text
            let counted = "drydock_http_request_duration_seconds_count"
            #expect(text.contains(counted + "{route=\"/api/v1/builds/{id}\",class=\"4xx\"} 2\n"))
            #expect(text.contains(counted + "{route=\"none\",class=\"4xx\"} 2\n"))
            #expect(text.contains(counted + "{route=\"preview\",class=\"4xx\"} 1\n"))
            #expect(text.contains("drydock_http_requests_total{status=\"404\"} 5\n"))
            #expect(!text.contains("made-up") && !text.contains("b_1"))
        }
    }

    @Test("records that viewers are told are counted, with how long they took")
    func told() async throws {
        try await withServer { server in
            try await server.watch("s") { client in
                _ = try await server.enqueue("s")
                let work = try await server.begin()
                try work.log(["one", "two"])
                try await work.finish()
                _ = try await client.messages(until: "build_completed")
            }
            let lines = try await server.request("GET", "/metrics").text.split(separator: "\n")
            func value(_ name: String) -> Int? {
                lines.first { $0.hasPrefix(name + " ") }.flatMap { Int($0.dropFirst(name.count + 1)) }
            }
            #expect(value("drydock_journal_records_told_total") ?? 0 >= 4)
            #expect(value("drydock_journal_lag_seconds_count") ?? 0 >= 1)
            #expect(value("drydock_journal_longest_lag_seconds") == 0)
        }
    }
}
