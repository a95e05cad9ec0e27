// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore
import NIOCore

/// Turns the body of `POST /api/v1/builds` into a source.
struct SourceUpload: Sendable {
    let store: any Store
    let options: ServerOptions

    /// What a JSON body may say beside its source.
    struct Wish: Sendable {
        var source: Source
        var session: String?
        var project: String?
        var title: String?
        var directory: String?
        var parameters: BuildParameters?
    }

    /// Longest JSON body.
    private static let longestJSON = 64 << 10
    /// Bytes that are gathered before they are hashed and written.
    private static let gathered = 512 << 10

    /// Reads the body; an archive goes to a blob piece by piece.
    func read(_ request: Request) async throws -> Wish {
        let type = request.headers.value("content-type")?.lowercased() ?? ""
        if type.hasPrefix("application/json") { return try await readJSON(request) }
        return Wish(source: .archive(try await spool(request)))
    }

    // MARK: Archives

    private func spool(_ request: Request) async throws -> Digest {
        let blob = try store.newUpload()
        do {
            var head: [UInt8] = []
            var gathered = ByteBuffer()
            var pieces = request.body.makeAsyncIterator()
            while var piece = try await Self.next(&pieces) {
                let size = blob.size.bytes + Int64(gathered.readableBytes + piece.readableBytes)
                guard size <= options.longestUpload.bytes else {
                    throw Problem.sourceTooLarge(options.longestUpload)
                }
                head += piece.readableBytesView.prefix(ArchiveMagic.length - head.count)
                gathered.writeBuffer(&piece)
                if gathered.readableBytes >= Self.gathered {
                    try await Self.write(gathered, to: blob)
                    gathered.clear()
                }
            }
            try ArchiveMagic.check(head)
            return try await Blocking.run { [gathered] in
                try gathered.withUnsafeReadableBytes { try blob.write($0) }
                return try blob.finish()
            }
        } catch {
            blob.discard()
            throw error
        }
    }

    private static func write(_ bytes: ByteBuffer, to blob: any BlobWriter) async throws {
        try await Blocking.run { try bytes.withUnsafeReadableBytes { try blob.write($0) } }
    }

    /// The body's next piece; what ends it too early is the client's doing, and of no use to the server's log.
    private static func next(_ pieces: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await pieces.next()
        } catch let error where !(error is CancellationError) {
            throw Problem(400, "body_broken", "the request's body did not come whole")
        }
    }

    // MARK: JSON

    private func readJSON(_ request: Request) async throws -> Wish {
        guard let body = try? await request.body.collect(upTo: Self.longestJSON) else {
            throw Problem(413, .sourceTooLarge, "a JSON body may have \(Self.longestJSON) bytes")
        }
        guard let value = try? BoundedJSONReader.read(Array(body.readableBytesView), bounds: .client),
            let source = value["source"]?.object
        else {
            throw Problem(
                400,
                .sourceInvalid,
                "the body is no JSON object with a \"source\"",
                hint: Self.shape
            )
        }
        let fields = try Self.read("order_invalid") { () throws(FieldProblem) in
            let fields = try Field(value, "the body", .message).fields()
            try fields.require(only: Self.keys)
            return fields
        }
        var wish = Wish(source: try Self.source(source, options))
        (wish.session, wish.project) = (try Self.text("session_id", fields), try Self.text("project", fields))
        (wish.title, wish.directory) = (try Self.text("title", fields), try Self.text("directory", fields))
        if let field = fields["params"] {
            wish.parameters = try BuildNames.parameters { () throws(FieldProblem) in try .init(field) }
        }
        return wish
    }

    /// All that an order may say: what nobody reads would be a wish that is passed over in silence.
    private static let keys = ["source", "session_id", "project", "title", "directory", "params"]

    private static func text(_ key: String, _ fields: Fields) throws(Problem) -> String? {
        try read("order_invalid") { () throws(FieldProblem) in try fields.optional(key) }
    }

    /// What `read` gives; what is wrong with the fields is the client's to mend.
    private static func read<Value>(
        _ code: String,
        _ read: () throws(FieldProblem) -> Value
    ) throws(Problem) -> Value {
        do throws(FieldProblem) {
            return try read()
        } catch {
            throw Problem(400, code, error.message, hint: error.hint)
        }
    }

    private static let shape =
        #"send an archive, or {"source": {"path": "/dir"}} or {"source": {"git": {"url": "https://…"}}}"#

    private static func source(_ fields: [String: JSON], _ options: ServerOptions) throws(Problem) -> Source {
        guard fields.count == 1, let (kind, value) = fields.first else {
            throw Problem(400, .sourceInvalid, "\"source\" must have exactly one key", hint: shape)
        }
        switch kind {
        case "path":
            guard options.allowsPathSources else {
                throw forbidden("directories of the server's machine", "path")
            }
            guard let path = value.string, path.hasPrefix("/"), path.utf8.count <= 4_096, !path.contains("\0")
            else {
                throw Problem(400, .sourceInvalid, "\"path\" must be an absolute path")
            }
            return .path(path)
        case "git":
            guard options.allowsGitSources else { throw forbidden("git URLs", "git") }
            return try git(value)
        default:
            throw Problem(400, .sourceInvalid, "the source \"\(kind.prefix(40))\" is not known", hint: shape)
        }
    }

    /// An object, or no more than the address.
    private static func git(_ value: JSON) throws(Problem) -> Source {
        let named: (url: String?, revision: String?) =
            if let url = value.string {
                (url, nil)
            } else {
                try read(FailureCode.sourceInvalid.rawValue) { () throws(FieldProblem) in
                    let fields = try Field(value, key: "git", of: "the source", .message).fields()
                    try fields.require(only: ["url", "revision"])
                    return (try fields.optional("url"), try fields.optional("revision"))
                }
            }
        guard let url = named.url, url.utf8.count <= 2_048, isPlain(url),
            ["https://", "http://", "ssh://", "git://"].contains(where: url.hasPrefix)
        else {
            throw Problem(400, .sourceInvalid, "\"git\" needs a \"url\" with https, http, ssh or git")
        }
        guard let revision = named.revision else { return .git(url: url, revision: nil) }
        // A leading dash would be an option to git.
        guard isPlain(revision), (1...200).contains(revision.utf8.count), !revision.hasPrefix("-") else {
            throw Problem(400, .sourceInvalid, "\"revision\" is no branch, tag or commit")
        }
        return .git(url: url, revision: revision)
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func forbidden(_ what: String, _ key: String) -> Problem {
        Problem(
            403,
            "source_forbidden",
            "this server does not build from \(what)",
            hint: "send an archive, or allow `\(key)` under `sources` in the server's configuration"
        )
    }
}
