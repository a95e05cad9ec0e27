// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPreview
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore

extension Operations {
    /// What a build says and gives out.
    var results: [Operation] {
        let artifacts = ArtifactsAPI(store: store)
        let journal = JournalAPI(store: store, hub: hub, heartbeat: options.streamHeartbeat)
        let logs = LogsAPI(store: store)
        return [
            Operation(
                method: .get,
                path: "/api/v1/builds/{id}/events",
                id: "followEvents",
                summary: "Every record of the journal, as it comes, until the build has ended",
                parameters: [
                    .query("after", "The cursor `<attempt>:<seq>` of the last record that is known"),
                    .query("last_event_id", "The same, for those who can not set a header"),
                    .query("ticket", "Instead of a token: what `POST /api/v1/tickets` gave"),
                    .header("Last-Event-ID", "The same, as an EventSource sends it"),
                    .query(
                        "heartbeat",
                        "Seconds after which a silent stream shows that it is alive: by an empty line, or a comment",
                        ["type": "integer", "minimum": 1, "maximum": 300]
                    ),
                    .header("Accept", "`text/event-stream` for server-sent events"),
                    .header("Accept-Encoding", "`gzip`: a build that has ended comes as it is stored"),
                ],
                answers: [
                    .body("application/x-ndjson", "text/event-stream", summary: "The records"),
                    Operation.Answer(status: 204, summary: "An EventSource has everything", content: [:]),
                    .problem(400, "cursor_invalid, query_invalid"), .problem(410, "cursor_unknown"),
                ]
            ) { request, context in
                try await journal.events(try await build(request, context), request, while: context.isOpen)
            },
            Operation(
                method: .get,
                path: "/api/v1/builds/{id}/logs",
                id: "readLog",
                summary: "The log of the newest attempt, as far as it is",
                parameters: [
                    .query("format", "Text for people, or records", ["enum": ["text", "ndjson"]]),
                    .query("step", "Only that of this step"),
                    .query("from", "The number of the first record", ["type": "integer", "minimum": 0]),
                    .query(
                        "lines",
                        "Only these lines of the log, counted from 1: `1000-1999`, or `1000-` to the end",
                        ["type": "string", "pattern": "^[0-9]+-[0-9]*$"]
                    ),
                    .query("tail", "Only so many of the newest lines", ["type": "integer", "minimum": 1]),
                ],
                answers: [
                    .body("text/plain; charset=utf-8", "application/x-ndjson", summary: "The log"),
                    .problem(400, "filter_invalid"),
                ]
            ) { request, context in
                try await logs.logs(try await build(request, context), request, while: context.isOpen)
            },
            Operation(
                method: .get,
                path: "/api/v1/builds/{id}/artifacts",
                id: "listArtifacts",
                summary: "What the build gave out",
                answers: [.json(200, "ArtifactList", "Its files")]
            ) { request, context in try await artifacts.list(try await build(request, context)) },
            Operation(
                method: .get,
                path: "/api/v1/builds/{id}/artifacts/**",
                id: "downloadArtifact",
                summary: "One file, as a download",
                parameters: [
                    .header("Range", "A part of it"), .header("If-Range", "Only of what has this validator"),
                    .header("If-Match", "Only what has this validator"),
                    .header("If-None-Match", "Only what has another validator"),
                ],
                answers: [
                    Self.file(200, "The file"), Self.file(206, "The part"),
                    Operation.Answer(status: 304, summary: "It is known already", content: [:]),
                    Self.file(412, "It has another validator, and comes not"),
                    Self.file(416, "It has no such part"), .problem(410, "artifact_gone"),
                ]
            ) { request, context in
                let build = try await build(request, context)
                let path = context.parameters.getCatchAll().joined(separator: "/")
                guard let decoded = PercentCoding.decode(path) else {
                    throw Problem.notFound("address \(request.uri.path.prefix(200))")
                }
                return try await artifacts.download(build, decoded, request)
            },
        ]
    }

    /// A file has the type that its name says.
    private static func file(_ status: Int, _ summary: String) -> Operation.Answer {
        Operation.Answer(status: status, summary: summary, content: ["*/*": Schema.bytes])
    }
}
