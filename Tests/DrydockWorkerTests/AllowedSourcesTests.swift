// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import Testing

@testable import DrydockWorker

@Suite("Sources that clients may name")
struct AllowedSourcesTests {
    @Test("a directory is allowed by its bytes: one that only looks the same is another")
    func bytes() throws {
        let root = FileManager.default.temporaryDirectory.path + "/drydock-sources-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let (composed, decomposed) = (root + "/caf\u{e9}", root + "/cafe\u{301}")
        for folder in [composed + "/a", composed + "/\u{301}b", decomposed + "/a", composed + "2"] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let allowed = AllowedSources(paths: [composed])
        for path in [composed, composed + "/a", composed + "/\u{301}b"] {
            #expect(throws: Never.self) { try allowed.check(.path(path)) }
        }
        for path in [decomposed, decomposed + "/a", composed + "2", root, composed + "/none"] {
            #expect(throws: Failure.self) { try allowed.check(.path(path)) }
        }
        #expect(throws: Never.self) { try AllowedSources(paths: ["/"]).check(.path(decomposed)) }
    }
}
