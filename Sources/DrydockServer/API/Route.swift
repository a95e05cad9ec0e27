// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPreview
import DrydockProtocol

/// What an address of the app means; pure.
enum Route: Hashable, Sendable {
    case page(PageAsset)
    case health
    case readiness
    case metrics
    case plugins
    case builds
    case createBuild
    case build(BuildID)
    case cancel(BuildID)
    case retry(BuildID)
    case events(BuildID)
    case logs(BuildID)
    case artifacts(BuildID)
    case artifact(BuildID, path: String)
    /// `/ws` without a wish to upgrade.
    case webSocket

    /// Whether a token is needed where the server asks for any.
    var needsToken: Bool {
        switch self {
        case .page, .health, .readiness, .webSocket: false
        default: true
        }
    }

    /// Reads a method and a path, percent-encoded and without its query.
    static func parse(_ method: String, _ path: String) throws(Problem) -> Route {
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let reading = method == "GET" || method == "HEAD"
        switch parts {
        case _ where PageAsset(path: path) != nil:
            return try one(reading, "GET", PageAsset(path: path).map(Route.page))
        case ["ws"]: return .webSocket
        case ["healthz"]: return try one(reading, "GET", .health)
        case ["readyz"]: return try one(reading, "GET", .readiness)
        case ["metrics"]: return try one(reading, "GET", .metrics)
        case ["api", "v1", "plugins"]: return try one(reading, "GET", .plugins)
        case ["api", "v1", "builds"]:
            if method == "POST" { return .createBuild }
            return try one(reading, "GET, POST", .builds)
        default:
            guard parts.count >= 4, Array(parts[..<3]) == ["api", "v1", "builds"], isID(parts[3]) else {
                throw .notFound("address \(path.prefix(200))")
            }
            return try parse(method, BuildID(rawValue: parts[3]), Array(parts[4...]), path)
        }
    }

    private static func parse(
        _ method: String,
        _ id: BuildID,
        _ rest: [String],
        _ path: String
    ) throws(Problem) -> Route {
        let reading = method == "GET" || method == "HEAD"
        switch (rest.first, rest.count) {
        case (nil, _):
            if method == "DELETE" { return .cancel(id) }
            return try one(reading, "GET, DELETE", .build(id))
        case ("retry", 1): return try one(method == "POST", "POST", .retry(id))
        case ("events", 1): return try one(reading, "GET", .events(id))
        case ("logs", 1): return try one(reading, "GET", .logs(id))
        case ("artifacts", 1): return try one(reading, "GET", .artifacts(id))
        case ("artifacts", _):
            let name = rest.dropFirst().joined(separator: "/")
            guard let decoded = PercentCoding.decode(name) else { break }
            return try one(reading, "GET", .artifact(id, path: decoded))
        default: break
        }
        throw .notFound("address \(path.prefix(200))")
    }

    private static func one(_ isAllowed: Bool, _ methods: String, _ route: Route?) throws(Problem) -> Route {
        guard let route else { throw .notFound("such address") }
        guard isAllowed else {
            throw Problem(405, "method_not_allowed", "this address takes \(methods)", hint: methods)
        }
        return route
    }

    private static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
            }
    }
}
