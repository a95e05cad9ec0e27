// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Foundation
import SystemPackage
import Testing

@testable import DrydockWorker

@Suite("Files by the end of their path")
struct SourceIndexTests {
    @Test(
        "the one that ends so is found; of two none, no link, and nothing of a source too large to know whole"
    )
    func find() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "drydock-index-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        for name in ["top.go", "a/one_test.go", "a/both.go", "b/both.go", "b/c/xboth.go"] {
            let file = root.appending(path: name)
            let folder = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data().write(to: file)
        }
        try FileManager.default.createSymbolicLink(
            at: root.appending(path: "link.go"),
            withDestinationURL: root.appending(path: "top.go")
        )
        let source = try DirectoryHandle(path: FilePath(root.path))
        let index = SourceIndex(source)
        let endings = ["top.go", "one_test.go", "both.go", "b/both.go", "link.go", "none.go", "", "/", "a"]
        #expect(
            endings.map(index.file) == ["top.go", "a/one_test.go", nil, "b/both.go", nil, nil, nil, nil, nil]
        )
        let small = SourceIndex(source, limits: WalkLimits(entries: 3))
        #expect(endings.compactMap(small.file).isEmpty)
    }
}
