// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import Hummingbird
import HummingbirdCore

extension Operations {
    /// Builds as resources.
    var builds: [Operation] {
        let builds = BuildsAPI(store: store, options: options)
        return [
            Operation(
                method: .get,
                path: "/api/v1/builds",
                id: "listBuilds",
                summary: "Builds, newest first, a page at a time",
                parameters: [
                    .query("session_id", "Only those of this session", Schema.text(1...200)),
                    .query("project", "Only those of this project"),
                    .query(
                        "state",
                        "Only those in one of these states",
                        Schema.list(of: Schema.one(of: BuildState.self))
                    ),
                    .query("before", "Only those older than this build"),
                    .query("limit", "How many at most", Schema.integer(1...200)),
                ],
                answers: [
                    .json(200, "BuildList", "A page"), .problem(400, "session_id_invalid, filter_invalid"),
                    .problem(404, "not_found: the build of `before`"),
                ]
            ) { request, _ in try await builds.list(request) },
            Operation(
                method: .post,
                path: "/api/v1/builds",
                id: "createBuild",
                summary: "A new build of the source in the body",
                admission: .tokenHolders(.build),
                parameters: [
                    .query(
                        "session_id",
                        "Whose build it is; else a session of its own",
                        Schema.text(1...200)
                    ),
                    .query(
                        "project",
                        "What its history is filed under; else the session",
                        Schema.text(1...200)
                    ),
                    .query("title", "What it is called"),
                    .query("directory", "Where in the source the project is; else at its top"),
                    .query(
                        "param",
                        "`NAME=VALUE` for a parameter of the project; may come again",
                        isRepeated: true
                    ),
                    .header(
                        "Idempotency-Key",
                        "Answers a repetition with the first build",
                        Schema.text(1...200)
                    ),
                ],
                body: Operation.Body(most: options.longestUpload, content: Self.sources),
                answers: [
                    .json(202, "Build", "It waits in the queue"),
                    .problem(
                        400,
                        "session_id_invalid, project_invalid, directory_invalid, params_invalid, "
                            + "idempotency_key_invalid, source_invalid, order_invalid, body_broken"
                    ),
                    .problem(403, "source_forbidden"), .problem(422, "idempotency_key_reused"),
                    .problem(429, "queue_full"), .problem(507, "disk_full"),
                ]
            ) { request, context in try await builds.create(request, as: try context.requestedChange()) },
            Operation(
                method: .get,
                path: "/api/v1/builds/{id}",
                id: "showBuild",
                summary: "One build",
                answers: [.json(200, "Build", "The build")]
            ) { request, context in try await builds.show(try Self.id(request, context), request) },
            Operation(
                method: .get,
                path: "/api/v1/builds/{id}/failure",
                id: "readFailure",
                summary:
                    "Why it failed, for a program that acts on what it reads: what others wrote is quoted",
                answers: [
                    .body("text/plain; charset=utf-8", summary: "About 2 000 tokens at most"),
                    .problem(404, "not_found: no such build, or it has not failed"),
                ]
            ) { request, context in try await builds.failure(try Self.id(request, context)) },
            Operation(
                method: .delete,
                path: "/api/v1/builds/{id}",
                id: "cancelBuild",
                summary: "Asks for the end of a build",
                admission: .tokenHolders(.build),
                answers: [
                    .json(200, "Build", "It had ended before"), .json(202, "Build", "Its end was asked for"),
                ]
            ) { request, context in
                let change = try context.requestedChange()
                return try await builds.cancel(try Self.id(request, context), request, as: change)
            },
            Operation(
                method: .post,
                path: "/api/v1/builds/{id}/retry",
                id: "retryBuild",
                summary: "A new build of the same source",
                admission: .tokenHolders(.build),
                answers: [
                    .json(202, "Build", "The new build waits in the queue"), .problem(429, "queue_full"),
                    .problem(507, "disk_full"),
                ]
            ) { request, context in
                let change = try context.requestedChange()
                return try await builds.retry(try Self.id(request, context), request, as: change)
            },
        ]
    }

    /// What may stand in the body of a new build.
    private static let sources: [String: JSON] = [
        "application/octet-stream": Schema.bytes, "application/gzip": Schema.bytes,
        "application/x-tar": Schema.bytes,
        "application/zip": Schema.bytes, "application/json": Schema.named("BuildOrder"),
    ]
}
