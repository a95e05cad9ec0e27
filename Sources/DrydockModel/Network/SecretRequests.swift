// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The requests that a secret may be added to.
package struct SecretRequests: Hashable, Sendable {
    package static let reading = ["GET", "HEAD"]

    package var methods = Self.reading
    /// nil = all.
    package var paths: [PathPattern]?
    /// What `git fetch` and `git clone` ask, and nothing else: never a push.
    package var isGit = false

    package init() {}

    /// Whether a request is one of them; `uri` is the path, with the query.
    package func allow(method: String, uri: String) -> Bool {
        if !isGit, paths == nil { return methods.contains(method) }
        guard let path = RequestPath(uri) else { return false }
        if let paths, !paths.contains(where: { $0.matches(path) }) { return false }
        return isGit ? Self.isFetch(method, path) : methods.contains(method)
    }

    /// Source: gitprotocol-http(5), "Smart Clients".
    private static func isFetch(_ method: String, _ path: RequestPath) -> Bool {
        guard path.isPlain else { return false }
        switch method {
        case "GET": return path.text.hasSuffix("/info/refs") && path.query == "service=git-upload-pack"
        case "POST": return path.text.hasSuffix("/git-upload-pack") && path.query == nil
        default: return false
        }
    }
}

/// A path, or all that begin with one: `/simple/*`.
package struct PathPattern: Hashable, Sendable {
    private let beginning: RequestPath
    private let isWhole: Bool

    /// Reads one as it stands in files.
    package init(_ field: Field) throws(FieldProblem) {
        let text = try field.filled()
        isWhole = !text.hasSuffix("/*")
        guard let path = RequestPath(isWhole ? text : String(text.dropLast())), path.query == nil,
            !path.text.contains("*")
        else {
            throw field.problem(
                "is no path that can be compared",
                hint: "write /simple/* or a whole path, without .. or // or a query"
            )
        }
        beginning = path
    }

    /// However it is read.
    package func matches(_ path: RequestPath) -> Bool {
        [path.text, path.loose].allSatisfy { isWhole ? $0 == beginning.text : $0.hasPrefix(beginning.text) }
    }
}
