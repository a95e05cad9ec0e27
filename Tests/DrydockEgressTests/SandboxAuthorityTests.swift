// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import Glibc
import Testing

@testable import DrydockEgress

@Suite("The authority of one sandbox", .timeLimit(.minutes(1)))
struct SandboxAuthorityTests {
    /// What openssl, a client of the strict kind, says of a host with a certificate of `vouched` by an authority over `good.example`.
    private func openssl(_ vouched: String) async throws -> String {
        let authority = try TestAuthority(over: "good.example")
        let folder = TestFolder.make()
        defer { folder.remove() }
        let own = try authority.write(to: folder, "own.pem")
        let host = try await TestHost.start(.http, try authority.server(for: vouched))
        let said = try await TestProgram.run(
            "openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(host.port)", "-servername", vouched, "-verify_hostname",
                vouched, "-CAfile", own, "-x509_strict", "-verify_return_error", "-alpn", "h2,http/1.1",
                "-brief",
            ]
        )
        await host.stop()
        return said
    }

    @Test("strict clients take its certificates, and those of other hosts not even with its key")
    func constraints() async throws {
        let good = try await openssl("good.example")
        #expect(
            good.contains("Verification: OK") && good.contains("Verified peername: good.example"),
            "\(good)"
        )
        let evil = try await openssl("evil.example")
        #expect(evil.contains("permitted subtree violation"), "\(evil)")
    }

    @Test("each is another one, and its file holds the roots, it, and no key; the file goes with its name")
    func file() throws {
        let host = try HostName("good.example")
        let one = try SandboxAuthority(over: [host], for: .seconds(60)).pem
        #expect(try one != SandboxAuthority(over: [host], for: .seconds(60)).pem)
        let folder = TestFolder.make()
        defer { folder.remove() }
        // Without a line's end, as people leave them.
        let file = try RootsFile(try folder.write("-----BEGIN X-----", "roots.pem"), and: one)
        let text = try String(contentsOfFile: file.path, encoding: .utf8)
        #expect(text == "-----BEGIN X-----\n" + one && one.hasSuffix("-----\n") && !one.contains("KEY"))
        var status = stat()
        #expect(stat(file.path, &status) == 0 && status.st_mode & 0o777 == 0o444)
        file.remove()
        #expect(stat(file.path, &status) != 0)
        #expect(throws: (any Error).self) { try RootsFile("/nonexistent", and: one) }
    }
}
