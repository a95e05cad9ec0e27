// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockConfig
import Foundation
import Glibc
import Testing

@testable import DrydockCommands

@Suite("The files of the certificate")
struct CertificateReadingTests {
    /// What is wrong with a certificate and its key, where the key has this mode.
    private func problem(keyMode: mode_t) throws -> CommandProblem? {
        let folder = FileManager.default.temporaryDirectory.path + "/drydock-certificate-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = ServerConfiguration()
        configuration.tls.certificate = folder + "/c.pem"
        configuration.tls.key = folder + "/k.pem"
        for name in ["c.pem", "k.pem"] {
            try Data("none".utf8).write(to: URL(filePath: folder + "/" + name))
        }
        #expect(chmod(folder + "/k.pem", keyMode) == 0)
        return #expect(throws: CommandProblem.self) {
            try CertificateReading.certificate(configuration)
        }
    }

    @Test(
        "a key that others may read or change is refused, with what to do",
        arguments: [0o640, 0o604, 0o660, 0o602, 0o777] as [mode_t]
    )
    func openKey(mode: mode_t) throws {
        let problem = try #require(try problem(keyMode: mode))
        #expect(problem.what.hasPrefix("tls.key: /") && problem.what.hasSuffix("/k.pem"))
        #expect(problem.why == "others may read or change it")
        #expect(problem.remedy?.contains("chmod 600") == true && problem.status == .usage)
    }

    @Test("a key of its owner's is read", arguments: [0o600, 0o400] as [mode_t])
    func ownKey(mode: mode_t) throws {
        let problem = try #require(try problem(keyMode: mode))
        #expect(problem.what.hasPrefix("tls: /") && problem.what.hasSuffix("/c.pem"), "it is no certificate")
    }

    @Test("one file without the other is refused by the name of what is missing", arguments: [true, false])
    func half(hasKey: Bool) throws {
        var configuration = ServerConfiguration()
        if hasKey { configuration.tls.key = "/k.pem" } else { configuration.tls.certificate = "/c.pem" }
        let problem = #expect(throws: CommandProblem.self) {
            try CertificateReading.certificate(configuration)
        }
        #expect(problem?.what == (hasKey ? "tls.certificate" : "tls.key"))
    }
}
