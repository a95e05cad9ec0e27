// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import FoundationEssentials
import Logging
import NIOCore
import NIOSSL
import Synchronization
import Testing

@testable import DrydockServer

@Suite("TLS and HTTP/2", .timeLimit(.minutes(1)))
struct SecureTests {
    /// A certificate of its own authority, of the name `localhost`, and its key.
    private struct Identity: Sendable {
        let certificate: [UInt8]
        let key: [UInt8]

        static func make(_ name: String) async throws -> Identity {
            let text = try await run([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout", "-", "-out", "-",
            ])
            let mark = try #require(text.range(of: "-----BEGIN CERTIFICATE-----")?.lowerBound)
            return Identity(certificate: Array(text[mark...].utf8), key: Array(text[..<mark].utf8))
        }

        var files: CertificateFiles {
            CertificateFiles(certificateName: "c.pem", keyName: "k.pem", certificate: certificate, key: key)
        }
    }

    private static func run(_ words: [String]) async throws -> String {
        try await Blocking.run {
            Result {
                let ended = try HostCommand(
                    "/bin/sh",
                    ["sh", "-c", "exec \"$@\" 2>/dev/null </dev/null", "sh"] + words,
                    environment: ["PATH=/usr/bin:/bin"],
                    deadline: .now + .seconds(15),
                    longestOutput: 1 << 20
                ).run()
                return String(decoding: ended.output, as: UTF8.self)
            }
        }.get()
    }

    /// A server with this certificate; `body` also gets what runs curl, which trusts it.
    private static func withSecureServer(
        _ change: (inout ServerOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (RunningServer, Identity) async throws -> Void
    ) async throws {
        let identity = try await Identity.make("first")
        let certificate = try ServerCertificate { identity.files }
        try await withServer {
            $0.certificate = certificate
            change(&$0)
        } _: { server in
            try await body(server, identity)
        }
    }

    private static func curl(_ identity: Identity, _ arguments: [String]) async throws -> String {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "drydock-secure-tests-\(UInt64.random(in: 0...UInt64.max)).pem")
        try Data(identity.certificate).write(to: file)
        // Left behind at worst, in a temporary directory.
        defer { try? FileManager.default.removeItem(at: file) }
        return try await run(["curl", "-sS", "-m", "10", "--cacert", file.path()] + arguments)
    }

    private static func client(
        _ identity: Identity,
        _ protocols: [String] = ["http/1.1"]
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(identity.certificate))
        configuration.applicationProtocols = protocols
        return try NIOSSLContext(configuration: configuration)
    }

    @Test(
        "the API is served over HTTP/1.1 and HTTP/2, as the client likes",
        arguments: ["--http1.1", "--http2"]
    )
    func versions(version: String) async throws {
        try await Self.withSecureServer { server, identity in
            let base = "https://localhost:\(server.port)"
            let told = ["-w", " %{http_version} %{http_code}"]
            func ask(_ words: String...) async throws -> String {
                var all = [version] + told
                all += words
                return try await Self.curl(identity, all)
            }
            let number = version == "--http2" ? "2" : "1.1"
            #expect(try await ask("\(base)/healthz") == "ok\n \(number) 200")
            #expect(try await ask("-I", "-o", "/dev/null", "\(base)/healthz") == " \(number) 200")
            // What only a connection of HTTP/1.1 may say is left out of the other.
            #expect(try await ask("-o", "/dev/null", "\(base)/ws") == " \(number) 426")
            let made = try await ask(
                "-H",
                "origin: \(base)",
                "--data-binary",
                "\u{1F}\u{8B}",
                "\(base)/api/v1/builds"
            )
            #expect(made.hasSuffix(" \(number) 400") && made.contains("source_invalid"))
            let foreign = "http://localhost:\(server.port + 1)"
            let refused = try await ask("-H", "origin: http://x.example", "-d", "x", "\(base)/api/v1/builds")
            #expect(refused.hasSuffix(" \(number) 403") && !refused.contains(foreign))
        }
    }

    @Test("a stream of events goes to its end over HTTP/2, and the connection goes on behind it")
    func streams() async throws {
        try await Self.withSecureServer { server, identity in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(["one"])
            let base = "https://localhost:\(server.port)/api/v1/builds"
            async let text = Self.curl(
                identity,
                ["--http2", "-N", "\(base)/\(work.lease.build.id)/events", "\(base)"]
            )
            try await work.finish()
            let all = try await text
            #expect(all.contains(#""one""#))
            #expect(all.contains(#""kind":"finished""#))
            #expect(all.contains(#""builds":["#))
        }
    }

    @Test("wss carries a session's messages, and its close")
    func webSocket() async throws {
        try await Self.withSecureServer { server, identity in
            let tls = try Self.client(identity)
            let types = try await server.connect(over: tls) { client in
                try await client.upgrade()
                try await client.say(#"{"type":"INIT","session_id":"s"}"#)
                try await client.say(#"{"type":"PING"}"#)
                _ = try await client.messages(until: "PONG")
                _ = try await server.enqueue("s")
                let work = try await server.begin()
                try await work.finish()
                let types = try await client.messages(until: "build_completed").types
                try await client.send(clientFrame(0x88, [0x03, 0xE8]))
                var frame = try await client.frame()
                while frame.opcode != 0x8 { frame = try await client.frame() }
                return types
            }
            #expect(types.first == "BUILD_STARTED")
        }
    }

    @Test("plain HTTP on the port is told to speak TLS, and TLS 1.1 is not spoken")
    func plain() async throws {
        try await Self.withSecureServer { server, identity in
            let answer = try await server.request("GET", "/healthz")
            #expect(answer.status == 400 && answer.text.contains("https"))
            let old = try await Self.curl(
                identity,
                ["--tls-max", "1.1", "-w", "%{http_code}", "https://localhost:\(server.port)/healthz"]
            )
            #expect(old == "000")
        }
    }

    @Test("a handshake that does not come ends the connection, and others go on")
    func slowHandshake() async throws {
        try await Self.withSecureServer {
            $0.headPatience = .milliseconds(200)
        } _: { server, identity in
            try await server.connect { client in
                try await client.send([0x16, 0x03, 0x01])
                try await client.end()
            }
            let answer = try await Self.curl(identity, ["https://localhost:\(server.port)/healthz"])
            #expect(answer == "ok\n")
        }
    }

    @Test("a stop of the server does not wait for clients of HTTP/2 that say nothing")
    func stop() async throws {
        try await Self.withSecureServer {
            $0.shutdownPatience = .milliseconds(300)
        } _: { server, identity in
            let tls = try Self.client(identity, ["h2"])
            try await server.connect(over: tls) { client in
                try await client.send(
                    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
                )
                server.shutDown()
                try await client.end()
            }
            await server.ended()
        }
    }

    @Test("a new certificate is shown to new connections; one of no use changes nothing")
    func renewal() async throws {
        let first = try await Identity.make("first")
        let second = try await Identity.make("second")
        let files = Mutex(first.files)
        let certificate = try ServerCertificate { files.withLock { $0 } }
        try await withServer {
            $0.certificate = certificate
            $0.certificateInterval = .milliseconds(20)
        } _: { server in
            let target = "https://localhost:\(server.port)/healthz"
            #expect(try await Self.curl(first, [target]) == "ok\n")
            // The certificate was renewed, and its key not yet.
            files.withLock { $0.certificate = second.certificate }
            certificate.look(Logger(label: "test"))
            #expect(try await Self.curl(first, [target]) == "ok\n")
            #expect(try await Self.curl(second, [target]) == "")
            files.withLock { $0 = second.files }
            // The server looks in its own time.
            while try await Self.curl(second, [target]) != "ok\n" {}
            #expect(try await Self.curl(first, [target]) == "")
        }
    }

    @Test("files of no use are told by their names")
    func useless() async throws {
        let identity = try await Identity.make("first")
        let other = try await Identity.make("other")
        var cases = [identity.files, identity.files, identity.files]
        cases[0].certificate = Array("none".utf8)
        cases[1].key = Array("none".utf8)
        cases[2].key = other.key
        for (files, name) in zip(cases, ["c.pem", "k.pem", "c.pem"]) {
            let problem = #expect(throws: CertificateProblem.self) { try ServerCertificate { files } }
            #expect(problem?.name == name)
        }
    }
}
