// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockConfig
import DrydockModel
import DrydockServer
import Foundation
import Testing

@testable import DrydockCommands

@Suite("The file of tokens")
struct TokensFileTests {
    @Test("lines end as any editor ends them", arguments: ["\n", "\r\n", "\r"])
    func lines(ending: String) throws {
        let digests = (1...3).map { "sha256:" + String(repeating: "\($0)", count: 64) }
        let lines = ["# ours", digests[0] + " # the first", "", digests[1], digests[2]]
        let path = FileManager.default.temporaryDirectory.path + "/drydock-tokens-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try lines.joined(separator: ending).write(toFile: path, atomically: false, encoding: .utf8)
        var configuration = ServerConfiguration()
        configuration.tokens = path
        #expect(try ServerOptions.make(configuration).tokens.map(\.rawValue) == digests)
    }
}
