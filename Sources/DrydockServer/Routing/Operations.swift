// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore
import NIOCore

/// Everything that can be asked of the app's host.
struct Operations: Sendable {
    let store: any Store
    let options: ServerOptions
    let hub: SessionHub
    let gate: Gatekeeper
    let plugins: PluginList
    let readiness: ReadinessCheck

    /// The table.
    var all: [Operation] { page + surroundings + builds + results + tickets }

    /// The files of the page; `Page` says what they may load.
    private var page: [Operation] {
        PageAsset.allCases.map { asset in
            Operation(
                method: .get,
                path: asset.path,
                id: "page-\(asset)",
                summary: "The page: its \(asset)",
                admission: .everyone,
                answers: [.body(asset.contentType, summary: "The file")]
            ) { _, _ in Page.response(asset) }
        }
    }

    /// What is asked about the server itself.
    private var surroundings: [Operation] {
        [
            Operation(
                method: .get,
                path: "/healthz",
                id: "health",
                summary: "Whether the server answers",
                admission: .ownOrigins,
                answers: [.body("text/plain; charset=utf-8", summary: "`ok`")]
            ) { _, _ in .text("ok\n") },
            Operation(
                method: .get,
                path: "/readyz",
                id: "readiness",
                summary: "Whether it should be sent work",
                admission: .ownOrigins,
                answers: [
                    .body("text/plain; charset=utf-8", summary: "`ready`"),
                    .problem(503, "why not, by the codes of failures"),
                ]
            ) { _, _ in try await ready() },
            Operation(
                method: .get,
                path: "/metrics",
                id: "metrics",
                summary: "Numbers for Prometheus (text format 0.0.4)",
                answers: [.body(MetricsText.contentType, summary: "The metrics")]
            ) { _, _ in .text(try await hub.report(), type: MetricsText.contentType) },
            Operation(
                method: .get,
                path: "/ws",
                id: "webSocket",
                summary: "Live messages of a session, over WebSocket",
                admission: .ownOrigins,
                parameters: [.query("ticket", "Instead of a token: what `POST /api/v1/tickets` gave")],
                answers: [
                    Operation.Answer(status: 101, summary: "A WebSocket from here on", content: [:]),
                    .problem(426, "upgrade_needed, upgrade_version"),
                ]
            ) { _, _ in
                throw Problem(
                    426,
                    "upgrade_needed",
                    "this address speaks WebSocket",
                    hint: "connect with ws://"
                )
            },
            Operation(
                method: .get,
                path: "/api/openapi.json",
                id: "document",
                summary: "This document",
                admission: .ownOrigins,
                answers: [.json(200, "Document", "An OpenAPI document")]
            ) { _, _ in
                let asksForToken = try await gate.asksForToken()
                return try .json(OpenAPIDocument(operations: all, asksForToken: asksForToken).json)
            },
            Operation(
                method: .get,
                path: "/api/v1/plugins",
                id: "listPlugins",
                summary: "The plugins, those that are not used included",
                answers: [.json(200, "PluginList", "The catalog")]
            ) { _, _ in .bytes(ByteBuffer(bytes: try await plugins()), type: "application/json") },
        ]
    }

    private func ready() async throws -> Response {
        guard let failure = await readiness() else { return .text("ready\n") }
        throw Problem(503, failure.code, failure.message, hint: failure.hint)
    }

    // MARK: Addresses

    /// The build whose id stands in the address.
    func build(_ request: Request, _ context: CallContext) async throws -> Build {
        let build = try await BuildsAPI(store: store, options: options).find(try Self.id(request, context))
        try context.caller.reach.check(build)
        return build
    }

    /// The id that stands in the address; what is none of ours is an address that is none.
    static func id(_ request: Request, _ context: CallContext) throws(Problem) -> BuildID {
        let text = context.parameters.get("id") ?? ""
        let isID =
            (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
            }
        guard isID else { throw .notFound("address \(request.uri.path.prefix(200))") }
        return BuildID(rawValue: text)
    }
}
