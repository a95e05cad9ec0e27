// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPreview
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore

/// Sends blobs as files: validators, ranges, and the body piece by piece.
struct FileResponse: Sendable {
    let store: any Store
    private let files = FileIO()

    init(store: any Store) {
        self.store = store
    }

    /// The answer to `request` for an artifact; `status` is what a whole answer carries.
    func send(
        _ artifact: Artifact,
        _ request: Request,
        _ context: BasicRequestContext,
        status: Int = 200
    ) async throws -> Response {
        guard let path = try store.blobPath(artifact.digest) else {
            throw Problem(410, "artifact_gone", "the content of \(artifact.path) is no longer kept")
        }
        let etag = FileRequest.etag(artifact.digest)
        let headers = request.headers
        let asked = FileRequest(
            ifNoneMatch: headers.value("if-none-match"),
            ifMatch: headers.value("if-match"),
            range: status == 200 && request.method == .get ? headers.value("range") : nil,
            ifRange: headers.value("if-range")
        )
        let size = artifact.size.bytes
        var part = asked.part(etag: etag, size: size)
        if status != 200 { part = .whole }
        var response: Response
        switch part {
        case .whole:
            response = Response(status: .init(code: status))
            response.body = try await body(path.string, 0..<size, context)
        case .range(let range):
            response = Response(status: .partialContent)
            response.body = try await body(path.string, range, context)
            response.headers.set("content-range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
        case .notModified: response = Response(status: .notModified)
        case .preconditionFailed: response = Response(status: .preconditionFailed)
        case .unsatisfiable:
            response = Response(status: .rangeNotSatisfiable)
            response.headers.set("content-range", "bytes */\(size)")
        }
        response.headers.set("etag", etag)
        response.headers.set("accept-ranges", "bytes")
        response.headers.set("content-type", ContentType.of(path: artifact.path))
        response.headers.set("x-content-type-options", "nosniff")
        return response
    }

    private func body(
        _ path: String,
        _ range: Range<Int64>,
        _ context: BasicRequestContext
    ) async throws -> ResponseBody {
        guard !range.isEmpty else { return ResponseBody(byteBuffer: .init()) }
        return try await files.loadFile(
            path: path,
            range: Int(range.lowerBound)...Int(range.upperBound - 1),
            context: context,
            chunkLength: 128 << 10
        )
    }
}
