// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
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

    @Test("Java's store has every certificate of a list, whatever else stands there, and Java's digest")
    func javaStore() throws {
        let list = """
            # Somebody's root.
            -----BEGIN CERTIFICATE-----\r
            AQ\r
            ID\r
            -----END CERTIFICATE-----\r
            -----BEGIN CERTIFICATE-----
            no Base64
            -----END CERTIFICATE-----
            -----BEGIN X-----
            AQID
            -----END X-----
            """
        let hex = JavaStore.bytes(of: Array(list.utf8)).map { String(format: "%02x", $0) }.joined()
        // What keytool reads as one trustedCertEntry.
        let entry = "00000002" + "000130" + "0000000000000000" + "0005582e353039" + "00000003" + "010203"
        let digest = "c87a3dc9f8947ba62bbbfbc5b538e824a6c609c2"
        #expect(hex == "feedfeed" + "00000002" + "00000001" + entry + digest)
    }

    @Test("what a sandbox is to trust is there in both forms; the operator's own file stays")
    func trust() throws {
        let folder = TestFolder.make()
        defer { folder.remove() }
        let list = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"
        let roots = try folder.write(list, "roots.pem")
        let one = try TrustFiles(roots, and: nil)
        let two = try TrustFiles(roots, and: list)
        #expect(one.roots == roots && two.roots != roots)
        // With one certificate, and with two.
        #expect(try [one, two].map { try Data(contentsOf: URL(filePath: $0.javaStore)).count } == [61, 90])
        one.remove()
        two.remove()
        #expect(access(roots, F_OK) == 0 && access(two.roots, F_OK) != 0)
        #expect(access(one.javaStore, F_OK) != 0 && access(two.javaStore, F_OK) != 0)
    }
}
