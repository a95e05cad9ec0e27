// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockPreview
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore
import NIOCore
import SystemPackage

/// Sends blobs as files: validators, ranges, and the body piece by piece.
struct FileResponse: Sendable {
    let store: any Store
    /// Bytes of a body that are read, and held, at one time.
    private static let piece = 256 << 10

    /// The answer to `request` for an artifact; `status` is what a whole answer carries.
    func send(
        _ artifact: Artifact,
        _ request: Request,
        status: Int = 200
    ) async throws -> Response {
        guard let blob = try await store.blob(artifact.digest) else {
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
            response.body = Self.body(blob, 0..<size)
        case .range(let range):
            response = Response(status: .partialContent)
            response.body = Self.body(blob, range)
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

    /// The bytes of `range`, read as the client takes them.
    private static func body(_ blob: Blob, _ range: Range<Int64>) -> ResponseBody {
        guard !range.isEmpty else { return ResponseBody(byteBuffer: .init()) }
        return ResponseBody(contentLength: range.count) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = min(piece, Int(range.upperBound - offset))
                let bytes = try await Blocking.run { [offset] in
                    try blob.read(from: offset, count: count)
                }
                guard !bytes.isEmpty else { throw Errno.ioError }  // it can not have become shorter
                try await writer.write(ByteBuffer(bytes: bytes))
                offset += Int64(bytes.count)
            }
            try await writer.finish(nil)
        }
    }
}
