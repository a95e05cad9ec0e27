// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("imported root file systems", .timeLimit(.minutes(1)))
struct RootFileSystemsTests {
    private let name = RootName(unchecked: "debian")

    private func add(_ roots: RootFileSystems, _ digest: String) throws {
        let new = try roots.begin()
        _ = try new.directory.makeDirectory(Array("usr".utf8)[...])
        let hex = String(repeating: digest, count: 64)
        try new.keep(
            RootFileSystems.Entry(
                name: name,
                digest: Digest(rawValue: "sha256:" + hex),
                source: "/image",
                imported: Timestamp(milliseconds: 1),
                files: 0,
                size: ByteCount(0)
            ),
            environment: ["PATH": "/\(digest)"]
        )
    }

    private func trees(_ scratch: ScratchDirectory) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/rootfs/trees").count
    }

    @Test("another import of a name replaces it, and who holds the old one keeps it")
    func replaced() throws {
        let scratch = try ScratchDirectory()
        let roots = RootFileSystems(in: FilePath(scratch.path + "/rootfs"))
        #expect(try roots.entries().isEmpty)
        try add(roots, "a")
        var held = try roots.hold(try #require(try roots.find(name)).digest)
        #expect(held?.environment == ["PATH": "/a"])
        try add(roots, "b")
        #expect(try roots.find(name)?.digest.hex.first == "b")
        #expect(try held?.open().names() == [Array("usr".utf8)])
        #expect(try trees(scratch) == 2)
        held = nil
        #expect(try roots.tidy() == 1)
        #expect(try trees(scratch) == 1)
        #expect(try roots.remove(name))
        #expect(try !roots.remove(name))
        #expect(try trees(scratch) == 0)
    }

    @Test("the same again, one at a time, and what was discarded leaves nothing")
    func again() throws {
        let scratch = try ScratchDirectory()
        let roots = RootFileSystems(in: FilePath(scratch.path + "/rootfs"))
        try add(roots, "a")
        try add(roots, "a")
        #expect(try trees(scratch) == 1)
        let new = try roots.begin()
        #expect(throws: RootFileSystems.Busy.self) { try roots.begin() }
        #expect(throws: RootFileSystems.Busy.self) { try roots.remove(name) }
        try new.discard()
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/rootfs/new"))
        try add(roots, "c")
        #expect(try trees(scratch) == 1)
    }
}
