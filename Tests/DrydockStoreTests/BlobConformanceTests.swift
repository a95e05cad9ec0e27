// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockStore
import Foundation
import Testing

@Suite("Conformance: blobs", .timeLimit(.minutes(1)))
struct BlobConformanceTests {
    private func write(_ content: [UInt8], pieces: Int, _ store: any Store) throws -> Digest {
        let blob = try store.newBlob()
        for start in stride(from: 0, to: content.count, by: pieces) {
            try content[start..<min(start + pieces, content.count)].withUnsafeBytes { try blob.write($0) }
        }
        #expect(blob.size == ByteCount(Int64(content.count)))
        return try blob.finish()
    }

    @Test("content is found under its digest", arguments: StoreKind.all)
    func content(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            for size in [0, 1, 70_000] {
                let content = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                let digest = try write(content, pieces: 999, store)
                #expect(digest == SHA256Hasher.digest(of: content))
                #expect(try write(content, pieces: 1 << 20, store) == digest)
                let path = try #require(try store.blobPath(digest))
                #expect(FileManager.default.contents(atPath: path.string).map { Array($0) } == content)
            }
        }
    }

    @Test("a blob that is not finished leaves nothing", arguments: StoreKind.all)
    func discarded(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let blob = try store.newBlob()
            try Array("abc".utf8).withUnsafeBytes { try blob.write($0) }
            blob.discard()
            blob.discard()
            #expect(throws: StoreError.blobFinished) { try blob.finish() }
            #expect(try store.blobPath(SHA256Hasher.digest(of: "abc".utf8)) == nil)
            do { _ = try store.newBlob() }
            let left = scope.path.appending("blobs/new").string
            #expect(try FileManager.default.contentsOfDirectory(atPath: left).isEmpty)
            let whole = try store.newBlob()
            let digest = try whole.finish()
            whole.discard()
            #expect(try store.blobPath(digest) != nil)
            #expect(throws: StoreError.blobFinished) { try whole.finish() }
        }
    }

    @Test(
        "what is no digest names no blob",
        arguments: [
            "", "sha256:", "sha256:../../../db.sqlite", "md5:" + String(repeating: "a", count: 64),
            "sha256:" + String(repeating: "A", count: 64), "sha256:" + String(repeating: "/", count: 64),
            "sha256:" + String(repeating: "a", count: 63), "a:sha256:" + String(repeating: "a", count: 64),
        ]
    )
    func noDigest(_ text: String) async throws {
        try await StoreScope.run { scope in
            let store = try scope.open()
            #expect(try store.blobPath(Digest(rawValue: text)) == nil)
        }
    }
}
