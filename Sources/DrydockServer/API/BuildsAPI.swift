// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
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

    func create(_ request: Request, as change: RequestedChange) async throws -> Response {
        // Everything that stands before the body is checked before it is read.
        let named = try BuildNames(query: Query(request))
        let key = try Self.idempotencyKey(request)
        let caller = change.caller
        try await store.checkRoom(for: caller.token, named.session, repeating: key, in: caller.scope)
        let upload = SourceUpload(store: store, options: options)
        let wish = try await upload.read(request)
        let names = try named.completed(by: wish)
        let session = names.session ?? SessionID.invented()
        let build = try await store.enqueue(
            BuildRequest(
                session: session,
                project: names.project ?? ProjectName(rawValue: session.rawValue),
                source: wish.source,
                directory: names.directory ?? .top,
                parameters: names.parameters ?? BuildParameters(),
                trigger: .api,
                title: names.title ?? Self.title(of: wish.source),
                idempotency: key.map { idempotency($0, names, wish.source, caller) },
                submitter: caller.token
            ),
            recording: { change.record(202, made: $0.id) }
        )
        return try await accepted(build, request)
    }

    private static func idempotencyKey(_ request: Request) throws(Problem) -> String? {
        guard let key = request.headers.value("idempotency-key") else { return nil }
        guard (1...200).contains(key.utf8.count) else {
            throw Problem(400, "idempotency_key_invalid", "Idempotency-Key must have 1 to 200 bytes")
        }
        return key
    }

    /// Keys belong to the token that they came with; what was asked for is what the client said, not what was made of it.
    private func idempotency(
        _ key: String,
        _ names: BuildNames,
        _ source: Source,
        _ caller: Caller
    ) -> Idempotency {
        var said = [names.session?.rawValue, names.project?.rawValue, names.title, "\(source)"]
        if let directory = names.directory { said += ["directory", directory.rawValue] }
        for (name, value) in (names.parameters?.values ?? [:]).sorted(by: { $0.key < $1.key }) {
            said += ["param", name, value]
        }
        let body = said.map { $0.map { "\($0.utf8.count):\($0)" } ?? "-" }.joined()
        return Idempotency(
            scope: caller.scope,
            key: key,
            body: SHA256Hasher.digest(of: body.utf8)
        )
    }

    func list(_ request: Request) async throws -> Response {
        let query = try Query(request)
        var filter = BuildFilter()
        if let text = try query.one("session_id") { filter.session = try BuildNames.session(text) }
        filter.project = try query.one("project").map(ProjectName.init(rawValue:))
        filter.before = try query.one("before").map(BuildID.init(rawValue:))
        for text in query.all("state").flatMap({ $0.split(separator: ",") }) {
            guard let state = BuildState(rawValue: String(text)) else {
                throw Problem(400, "filter_invalid", "there is no state \"\(text.prefix(40))\"")
            }
            filter.states.insert(state)
        }
        if let text = try query.one("limit") {
            guard let limit = Int(text), (1...200).contains(limit) else {
                throw Problem(400, "filter_invalid", "\"limit\" must be a number from 1 to 200")
            }
            filter.limit = limit
        }
        let builds = try await store.builds(filter)
        let positions = try await store.queuePositions(builds.filter { $0.state == .queued }.map(\.id))
        let views = builds.map { view($0, positions[$0.id], request) }
        return try .json(List(builds: views, next: builds.count == filter.limit ? builds.last?.id : nil))
    }

    func show(_ id: BuildID, _ request: Request) async throws -> Response {
        try .json(try await view(try await find(id), request))
    }

    func failure(_ id: BuildID) async throws -> Response {
        let build = try await find(id)
        guard let failure = build.failure else { throw Problem.notFound("failure of build \(id)") }
        return .text(FailureBrief(of: id, build.state, failure).text)
    }

    func cancel(_ id: BuildID, _ request: Request, as change: RequestedChange) async throws -> Response {
        let reason = "asked for over the API"
        switch try await store.requestCancel(id, by: "api", reason: reason, recording: change.record) {
        case .noSuchBuild: throw Problem.notFound("build \(id)")
        case .alreadyFinished: return try .json(try await view(try await find(id), request))
        case .cancelled, .requested:
            return try .json(try await view(try await find(id), request), status: 202)
        }
    }

    func retry(_ id: BuildID, _ request: Request, as change: RequestedChange) async throws -> Response {
        try await accepted(try await retry(id, as: change), request)
    }

    /// A new build of the same source.
    func retry(_ id: BuildID, as change: RequestedChange) async throws -> Build {
        var again = try await find(id).request
        again.retryOf = id
        again.trigger = .retry
        again.idempotency = nil
        again.submitter = change.caller.token
        return try await store.enqueue(again, recording: { change.record(202, made: $0.id) })
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
        return view(build, position, request)
    }

    private func view(_ build: Build, _ position: Int?, _ request: Request) -> BuildView {
        BuildView(build, position: position, preview: previewAddress(build, request))
    }

    /// Where the deploy is served, on the port that the client itself came through.
    private func previewAddress(_ build: Build, _ request: Request) -> String? {
        guard let deploy = build.deploy else { return nil }
        let port = request.head.authority.flatMap(Authority.init)?.port.map { ":\($0)" } ?? ""
        return "\(request.head.scheme ?? "http")://d-\(deploy).\(options.previewDomain)\(port)/"
    }

    /// What a source is called when nobody names it.
    private static func title(of source: Source) -> String {
        switch source {
        case .archive: "uploaded archive"
        case .path(let path): path
        case .git(let url, let revision): revision.map { "\(url) at \($0)" } ?? url
        }
    }
}
