// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Hummingbird
import HummingbirdCore
import NIOHTTP1

/// One thing that can be asked of the app's host, told once: the router is filled from it, and the OpenAPI document
/// says the same about it.
struct Operation: Sendable {
    typealias Handler = @Sendable (Request, CallContext) async throws -> Response

    /// Who may ask.
    enum Admission: Hashable, Sendable {
        /// The page itself: a link from elsewhere leads to it.
        case everyone
        /// Whoever is no page of a foreign origin.
        case ownOrigins
        /// The same, with a token of this scope where the server asks for tokens.
        case tokenHolders(AccessScope)
    }

    let method: HTTPRequest.Method
    /// `{name}` is one segment, a final `**` the rest of the path.
    let path: String
    /// Its name in the document.
    let id: String
    /// What it is for, in one line.
    let summary: String
    var admission = Admission.tokenHolders(.read)
    /// What it takes beside what stands in `path`.
    var parameters: [Parameter] = []
    var body: Body?
    /// What it answers itself; what the checks before it answer comes by `allAnswers`.
    let answers: [Answer]
    let respond: Handler
}

extension Operation {
    /// A value outside of the body.
    struct Parameter: Sendable {
        enum Place: String, Sendable {
            case path
            case query
            case header
        }

        let place: Place
        let name: String
        let summary: String
        var schema = Schema.text
        /// Whether it may stand there more than once.
        var isRepeated = false

        /// A part of the address behind `?`.
        static func query(_ name: String, _ summary: String, _ schema: JSON = Schema.text) -> Parameter {
            Parameter(place: .query, name: name, summary: summary, schema: schema)
        }

        /// The same, which may come more than once: a list of texts.
        static func query(_ name: String, _ summary: String, isRepeated: Bool) -> Parameter {
            let schema = Schema.list(of: Schema.text)
            return Parameter(
                place: .query,
                name: name,
                summary: summary,
                schema: schema,
                isRepeated: isRepeated
            )
        }

        static func header(_ name: String, _ summary: String, _ schema: JSON = Schema.text) -> Parameter {
            Parameter(place: .header, name: name, summary: summary, schema: schema)
        }
    }

    /// What is sent along.
    struct Body: Sendable {
        let most: ByteCount
        /// Media types, each with the schema of what it carries.
        let content: [String: JSON]
    }

    /// One way to be answered.
    struct Answer: Sendable {
        let status: Int
        let summary: String
        /// Media types, each with the schema of what it carries; empty = no body.
        let content: [String: JSON]

        /// JSON of a named schema.
        static func json(_ status: Int, _ name: String, _ summary: String) -> Answer {
            Answer(status: status, summary: summary, content: ["application/json": Schema.named(name)])
        }

        /// A body that no schema describes.
        static func body(_ types: String..., summary: String) -> Answer {
            let content = types.map { ($0, Schema.text) }
            return Answer(
                status: 200,
                summary: summary,
                content: Dictionary(content) { first, _ in first }
            )
        }

        /// Problem details; `codes` are its possible codes.
        static func problem(_ status: Int, _ codes: String) -> Answer {
            Answer(
                status: status,
                summary: codes,
                content: ["application/problem+json": Schema.named("Problem")]
            )
        }
    }
}

extension Operation {
    /// What a token has to be good for; nil where none is asked for.
    var scope: AccessScope? { if case .tokenHolders(let scope) = admission { scope } else { nil } }

    /// Whether a ticket in the address is as good as a token.
    var takesTicket: Bool { parameters.contains { $0.place == .query && $0.name == "ticket" } }

    /// Whether it changes anything, and stands in the audit.
    var isChange: Bool { method != .get }

    /// The segments of `path` that are parameters.
    var names: [String] {
        path.split(separator: "/").compactMap { segment in
            if segment == "**" { return "path" }
            return segment.hasPrefix("{") ? String(segment.dropFirst().dropLast()) : nil
        }
    }

    /// Every answer a client may get, those of the checks included, by its status.
    var allAnswers: [Int: [Answer]] {
        var all = answers
        all.append(.problem(400, "host_invalid"))
        all.append(.problem(421, "host_unknown"))
        all.append(.problem(500, "internal"))
        if parameters.contains(where: { $0.place == .query }) { all.append(.problem(400, "query_invalid")) }
        if !names.isEmpty { all.append(.problem(404, "not_found")) }
        if admission != .everyone { all.append(.problem(403, "origin_refused")) }
        if scope != nil {
            all.append(.problem(401, "unauthorized"))
            all.append(.problem(403, takesTicket ? "scope_missing, session_not_allowed" : "scope_missing"))
        }
        if body != nil { all.append(.problem(413, "source_too_large")) }
        return Dictionary(grouping: all, by: \.status)
    }

    /// Whether a request for `requested`, percent-encoded, means this operation's path.
    func matches(_ requested: String) -> Bool {
        let pattern = RouterPath(path).components
        let segments = requested.split(separator: "/")
        let isLongEnough =
            path.hasSuffix("**") ? segments.count >= pattern.count : segments.count == pattern.count
        return isLongEnough && zip(pattern, segments).allSatisfy { $0 ~= $1 }
    }
}
