// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore

/// Builds as resources: make, list, show, cancel, retry.
struct BuildsAPI: Sendable {
    /// A page of the list.
    private struct List: Encodable {
        var builds: [BuildView]
        /// What to give as `before` for the next page; nil on the last.
        var next: BuildID?
    }

    let store: any Store
    let options: ServerOptions

    func create(_ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        let key = request.headers.value("idempotency-key")
        if let key, !(1...200).contains(key.utf8.count) {
            throw Problem(400, "idempotency_key_invalid", "Idempotency-Key must have 1 to 200 bytes")
        }
        let wish = try await SourceUpload(store: store, options: options).read(request)
        let session = try Self.session(query["session_id"].map(String.init) ?? wish.session)
        let build = try await store.enqueue(
            BuildRequest(
                session: session,
                project: try Self.project(query["project"].map(String.init) ?? wish.project, session),
                source: wish.source,
                trigger: .api,
                title: Self.title(query["title"].map(String.init) ?? wish.title, wish.source),
                idempotencyKey: key
            )
        )
        return try await accepted(build, request)
    }

    func list(_ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        var filter = BuildFilter()
        if let text = query["session_id"] { filter.session = try Self.session(String(text)) }
        if let text = query["project"] { filter.project = ProjectName(rawValue: String(text)) }
        if let text = query["before"] { filter.before = BuildID(rawValue: String(text)) }
        for text in query.getAll("state").flatMap({ $0.split(separator: ",") }) {
            guard let state = BuildState(rawValue: String(text)) else {
                throw Problem(400, "filter_invalid", "there is no state \"\(text.prefix(40))\"")
            }
            filter.states.insert(state)
        }
        if let text = query["limit"] {
            guard let limit = Int(text), (1...200).contains(limit) else {
                throw Problem(400, "filter_invalid", "\"limit\" must be a number from 1 to 200")
            }
            filter.limit = limit
        }
        let builds = try await store.builds(filter)
        var views: [BuildView] = []
        for build in builds { views.append(try await view(build, request)) }
        return try .json(List(builds: views, next: builds.count == filter.limit ? builds.last?.id : nil))
    }

    func show(_ id: BuildID, _ request: Request) async throws -> Response {
        try .json(try await view(try await find(id), request))
    }

    func cancel(_ id: BuildID, _ request: Request) async throws -> Response {
        switch try await store.requestCancel(id, by: "api", reason: "asked for over the API") {
        case .noSuchBuild: throw Problem.notFound("build \(id)")
        case .alreadyFinished: return try .json(try await view(try await find(id), request))
        case .cancelled, .requested:
            return try .json(try await view(try await find(id), request), status: 202)
        }
    }

    func retry(_ id: BuildID, _ request: Request) async throws -> Response {
        try await accepted(try await retry(id), request)
    }

    /// A new build of the same source.
    func retry(_ id: BuildID) async throws -> Build {
        var again = try await find(id).request
        again.retryOf = id
        again.trigger = .retry
        again.idempotencyKey = nil
        return try await store.enqueue(again)
    }

    /// The build, or a problem that says that there is none.
    func find(_ id: BuildID) async throws -> Build {
        guard let build = try await store.build(id) else { throw Problem.notFound("build \(id)") }
        return build
    }

    // MARK: Views

    private func accepted(_ build: Build, _ request: Request) async throws -> Response {
        let view = try await view(build, request)
        var response = try Response.json(view, status: 202)
        response.headers.set("location", view.urls.`self`)
        return response
    }

    private func view(_ build: Build, _ request: Request) async throws -> BuildView {
        let position = build.state == .queued ? try await store.queuePosition(build.id) : nil
        return BuildView(build, position: position, preview: previewAddress(build, request))
    }

    /// Where the deploy is served, on the port that the client itself came through.
    private func previewAddress(_ build: Build, _ request: Request) -> String? {
        guard let deploy = build.deploy else { return nil }
        let port = request.head.authority.flatMap(HostName.init(authority:))?.port.map { ":\($0)" } ?? ""
        return "http://d-\(deploy).\(options.previewDomain)\(port)/"
    }

    // MARK: Input

    private static func session(_ text: String?) throws(Problem) -> SessionID {
        guard let text else { return SessionID(rawValue: "s-\(DeployID.make())") }
        guard let session = SessionID(checking: text) else {
            throw Problem(400, "session_id_invalid", ClientMessageError.badSession.message)
        }
        return session
    }

    private static func project(_ text: String?, _ session: SessionID) throws(Problem) -> ProjectName {
        guard let text else { return ProjectName(rawValue: session.rawValue) }
        guard let project = ProjectName(checking: text) else {
            throw Problem(
                400,
                "project_invalid",
                "\"project\" must have 1 to 200 bytes and no control characters"
            )
        }
        return project
    }

    private static func title(_ text: String?, _ source: Source) -> String {
        if let text, !text.isEmpty {
            return String(
                String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 }.prefix(200))
            )
        }
        switch source {
        case .archive: return "uploaded archive"
        case .path(let path): return path
        case .git(let url, let revision): return revision.map { "\(url) at \($0)" } ?? url
        }
    }
}
