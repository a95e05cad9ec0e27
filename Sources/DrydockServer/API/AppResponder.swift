// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Answers every HTTP request: finds the site by its host, checks who asks, and turns errors into problems.
struct AppResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let store: any Store
    let options: ServerOptions
    let access: AccessPolicy
    let hub: SessionHub
    let plugins: PluginList
    let readiness: ReadinessCheck
    let preview: PreviewSite

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        var response = await answer(request, context)
        hub.counters.answered(response.status.code)
        // HEAD: the same headers, no body (RFC 9110, section 9.3.2).
        if request.method == .head { response = Self.head(of: response) }
        return response
    }

    /// The answer without its body; a stream's length is not known, and is not given as none.
    private static func head(of response: Response) -> Response {
        let isStream = response.body.contentLength == nil
        var head = response.createHeadResponse()
        if isStream { head.headers.set("content-length", nil) }
        return head
    }

    private func answer(_ request: Request, _ context: BasicRequestContext) async -> Response {
        do {
            switch try access.site(request.head.authority) {
            case .preview(let deploy): return try await preview.respond(request, deploy: deploy)
            case .unknownPreview: throw Problem.notFound("preview at this address")
            case .app: return try await app(request, context)
            }
        } catch {
            let problem = Problem(explaining: error)
            // What a client did wrong is its own business; paths are its own words, too.
            if problem.status == 500 {
                context.logger.error("\(request.method) \(request.uri.path.prefix(200)): \(error)")
            }
            return .problem(problem)
        }
    }

    private func app(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let route = try Route.parse(request.method.rawValue, request.uri.path)
        if case .page(let asset) = route { return Page.response(asset) }
        try access.checkOrigin(request.headers.value("origin"), authority: request.head.authority)
        if route.needsToken {
            try access.checkToken(AccessPolicy.bearer(request.headers.value("authorization")))
        }
        return try await dispatch(route, request, context)
    }

    private func dispatch(
        _ route: Route,
        _ request: Request,
        _ context: BasicRequestContext
    ) async throws -> Response {
        let builds = BuildsAPI(store: store, options: options)
        let artifacts = ArtifactsAPI(store: store)
        let journal = JournalAPI(store: store, hub: hub, heartbeat: options.streamHeartbeat)
        switch route {
        case .page(let asset): return Page.response(asset)
        case .health: return .text("ok\n")
        case .readiness: return await ready()
        case .metrics:
            let counts = try await store.counts()
            let text = Metrics.render(hub.counters.values, counts, sessions: hub.sessions)
            return .text(text, type: "text/plain; version=0.0.4; charset=utf-8")
        case .plugins: return .bytes(ByteBuffer(bytes: try await plugins()), type: "application/json")
        case .builds: return try await builds.list(request)
        case .createBuild: return try await builds.create(request)
        case .build(let id): return try await builds.show(id, request)
        case .cancel(let id): return try await builds.cancel(id, request)
        case .retry(let id): return try await builds.retry(id, request)
        case .events(let id): return try await journal.events(try await builds.find(id), request)
        case .logs(let id): return try await LogsAPI(store: store).logs(try await builds.find(id), request)
        case .artifacts(let id): return try await artifacts.list(try await builds.find(id))
        case .artifact(let id, let path):
            return try await artifacts.download(try await builds.find(id), path, request)
        case .webSocket:
            throw Problem(426, "upgrade_needed", "this address speaks WebSocket", hint: "connect with ws://")
        }
    }

    private func ready() async -> Response {
        guard let failure = await readiness() else { return .text("ready\n") }
        return .problem(Problem(503, failure.code, failure.message, hint: failure.hint))
    }
}
