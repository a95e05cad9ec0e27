// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore

/// `/metrics` in Prometheus' text format (version 0.0.4); pure.
enum Metrics {
    static func render(_ values: ServerCounters.Values, _ counts: StoreCounts, sessions: Int) -> String {
        var text = ""
        func family(_ name: String, _ kind: String, _ help: String, _ samples: [(String, Int)]) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
            for (labels, value) in samples { text += "\(name)\(labels) \(value)\n" }
        }
        let builds = BuildState.allCases.map { ("{state=\"\($0.rawValue)\"}", counts.builds[$0] ?? 0) }
        family("drydock_builds", "gauge", "Builds the store knows, by state.", builds)
        family("drydock_ws_connections", "gauge", "Open WebSocket connections.", [("", values.connections)])
        family(
            "drydock_ws_connections_total",
            "counter",
            "WebSocket connections so far.",
            [("", values.connectionsTotal)]
        )
        family("drydock_ws_sessions", "gauge", "Sessions that are followed.", [("", sessions)])
        family(
            "drydock_ws_messages_total",
            "counter",
            "Messages sent to connections.",
            [("", values.messages)]
        )
        family(
            "drydock_ws_messages_skipped_total",
            "counter",
            "Messages that connections were skipped past, counted when they end.",
            [("", values.skipped)]
        )
        family(
            "drydock_ws_malformed_total",
            "counter",
            "Client messages not understood.",
            [("", values.malformed)]
        )
        let requests = values.requests.sorted { $0.key < $1.key }.map { ("{status=\"\($0.key)\"}", $0.value) }
        family("drydock_http_requests_total", "counter", "HTTP requests answered, by status.", requests)
        return text
    }
}
