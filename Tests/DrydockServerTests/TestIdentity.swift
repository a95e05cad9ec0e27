// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockTestSupport
import FoundationEssentials
import NIOSSL
import Testing

@testable import DrydockServer

/// A certificate of its own authority, of the name `localhost`, and its key.
struct TestIdentity: Sendable {
    let certificate: [UInt8]
    let key: [UInt8]

    static func make(_ name: String) async throws -> TestIdentity {
        let text = try await TestProgram.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout", "-", "-out", "-",
            ],
            withErrors: false
        )
        let mark = try #require(text.range(of: "-----BEGIN CERTIFICATE-----")?.lowerBound)
        return TestIdentity(certificate: Array(text[mark...].utf8), key: Array(text[..<mark].utf8))
    }

    var files: CertificateFiles {
        CertificateFiles(certificateName: "c.pem", keyName: "k.pem", certificate: certificate, key: key)
    }

    /// What curl says that trusts it.
    func curl(_ arguments: [String]) async throws -> String {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "drydock-secure-tests-\(UInt64.random(in: 0...UInt64.max)).pem")
        try Data(certificate).write(to: file)
        // Left behind at worst, in a temporary directory.
        defer { try? FileManager.default.removeItem(at: file) }
        return try await TestProgram.run(
            "curl",
            ["-sS", "-m", "10", "--cacert", file.path()] + arguments,
            withErrors: false
        )
    }

    /// TLS of a client that trusts it.
    func client(_ protocols: [String] = ["http/1.1"]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(certificate))
        configuration.applicationProtocols = protocols
        return try NIOSSLContext(configuration: configuration)
    }
}

/// A server with a certificate of its own, and that.
func withSecureServer(
    _ change: (inout ServerOptions) -> Void = { _ in },
    _ body: @escaping @Sendable (RunningServer, TestIdentity) async throws -> Void
) async throws {
    let identity = try await TestIdentity.make("first")
    let certificate = try ServerCertificate { identity.files }
    try await withServer {
        $0.certificate = certificate
        change(&$0)
    } _: { server in
        try await body(server, identity)
    }
}
