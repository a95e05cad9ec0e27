// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockStore
import DrydockTestSupport
import Foundation
import Testing

@Suite("Conformance: blobs", .timeLimit(.minutes(1)))
struct BlobConformanceTests {
    @Test("content is found under its digest", arguments: StoreKind.all)
    func content(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            for size in [0, 1, 70_000] {
                let content = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                let digest = try store.keep(content, pieces: 999)
                #expect(digest == SHA256Hasher.digest(of: content))
                #expect(try store.keep(content) == digest)
                let blob = try #require(try await store.blob(digest))
                #expect(blob.size == ByteCount(Int64(size)))
                #expect(try blob.read(from: 0, count: size + 1) == content)
                #expect(
                    try blob.read(from: Int64(size) / 2, count: 9) == Array(content[(size / 2)...].prefix(9))
                )
                #expect(try blob.read(from: Int64(size), count: 9).isEmpty)
            }
        }
    }

    @Test("blobs of one build exist once they are committed, and together", arguments: StoreKind.all)
    func committed(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let blobs = store.newBlobs()
            let contents = (0..<300).map { "content \($0 % 200)" }
            let digests = try contents.map { content in
                let blob = try blobs.newBlob()
                try Array(content.utf8).withUnsafeBytes { try blob.write($0) }
                return try blob.finish()
            }
            #expect(try await store.blob(digests[0]) == nil)
            try blobs.commit()
            for (digest, content) in zip(digests, contents) {
                let blob = try #require(try await store.blob(digest))
                #expect(try blob.read(from: 0, count: 99) == Array(content.utf8))
            }
            #expect(try scope.unnamedBlobs().isEmpty)
            try blobs.commit()
        }
    }

    @Test("a blob that is not finished, or not committed, leaves nothing", arguments: StoreKind.all)
    func discarded(_ kind: StoreKind) async throws {
        try await StoreScope.run(kind) { scope in
            let store = try scope.open()
            let blobs = store.newBlobs()
            let blob = try blobs.newBlob()
            try Array("abc".utf8).withUnsafeBytes { try blob.write($0) }
            blob.discard()
            blob.discard()
            #expect(throws: StoreError.blobFinished) { try blob.finish() }
            do { _ = try blobs.newBlob() }
            #expect(try scope.unnamedBlobs().isEmpty)
            let whole = try blobs.newBlob()
            let digest = try whole.finish()
            whole.discard()
            #expect(throws: StoreError.blobFinished) { try whole.finish() }
            #expect(try scope.unnamedBlobs().count == 1)
            blobs.discard()
            try blobs.commit()
            #expect(try scope.unnamedBlobs().isEmpty)
            #expect(try await store.blob(digest) == nil)
            let upload = try store.newUpload()
            let source = try upload.finish()
            upload.discard()
            #expect(try await store.blob(source) != nil)
            #expect(throws: StoreError.blobFinished) { try upload.finish() }
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
            #expect(try await store.blob(Digest(rawValue: text)) == nil)
        }
    }
}
