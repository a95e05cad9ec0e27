// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import SystemPackage
import Testing

@testable import DrydockStore

/// A build that has ended, and where its journal lies.
struct EndedBuild {
    let store: EmbeddedStore
    let lease: Lease

    /// So many lines of the log behind one other record, then the end.
    init(_ store: EmbeddedStore, lines: Int, width: Int = 100, session: String = "s") async throws {
        self.store = store
        lease = try await store.enqueueLeased(request(session), to: .first)
        let journal = try await store.journal(lease)
        let started = Event.started(Started(number: 1, level: .full, missing: []))
        try journal.append([started], via: .host, step: nil)
        var rest = (1...max(1, lines)).map { logLine("line \($0) " + Self.noise($0, width)) }[..<lines]
        while !rest.isEmpty {
            try journal.append(Array(rest.prefix(500)), via: .host, step: nil)
            rest = rest.dropFirst(500)
        }
        try journal.append([finished()], via: .host, step: nil)
        try journal.close()
        try await DrydockStoreTests.end(store, lease)
    }

    /// What does not deflate to nothing.
    private static func noise(_ number: Int, _ width: Int) -> String {
        var state = UInt64(number)
        var text = ""
        while text.utf8.count < width {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text += String(state >> 20, radix: 36)
        }
        return String(text.prefix(width))
    }

    var plain: FilePath { store.directory.segment(lease.build.id, lease.attempt) }
    var sealed: FilePath { SegmentFile.sealedPath(of: plain) }

    /// Names in the build's folder.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: plain.removingLastComponent().string).sorted()
    }

    func bytes(_ path: FilePath) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path.string))) }

    func overwrite(_ path: FilePath, at offset: Int64, with bytes: [UInt8]) throws {
        let file = try FileDescriptor.open(path, .writeOnly)
        try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: offset, bytes) }
    }

    /// All records' bytes, each with its line feed, as readers are told.
    func told(_ store: EmbeddedStore? = nil, after seq: UInt64 = 0) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        let batches = try await (store ?? self.store).follow(lease.build.id, lease.attempt, after: seq)
        for try await batch in batches { for line in batch { bytes += line.bytes + [0x0A] } }
        return bytes
    }

    /// Where everything is in its sealed journal.
    func index() throws -> SealedIndex { try #require(try SegmentFile.reading(plain)?.index) }

    var sealer: SegmentSealer { SegmentSealer(plain: plain, attempt: lease.attempt, needsEnd: true) }

    @discardableResult
    func seal() async throws -> SealReport { try await store.sealJournals(atMost: .gibibytes(1)) }
}

/// Runs `body` with a build of so many lines that has ended, in a store of its own.
func withEndedBuild(lines: Int, _ body: (EndedBuild) async throws -> Void) async throws {
    try await StoreScope.run { scope in
        let store = try EmbeddedStore(opening: scope.path, scope.options)
        try await body(try await EndedBuild(store, lines: lines))
    }
}
