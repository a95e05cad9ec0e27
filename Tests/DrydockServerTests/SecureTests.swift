// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Logging
import Synchronization
import Testing

@testable import DrydockServer

@Suite("TLS and HTTP/2", .timeLimit(.minutes(1)))
struct SecureTests {
    @Test(
        "the API is served over HTTP/1.1 and HTTP/2, as the client likes",
        arguments: ["--http1.1", "--http2"]
    )
    func versions(version: String) async throws {
        try await withSecureServer { server, identity in
            let base = "https://localhost:\(server.port)"
            let told = ["-w", " %{http_version} %{http_code}"]
            func ask(_ words: String...) async throws -> String {
                var all = [version] + told
                all += words
                return try await identity.curl(all)
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
        try await withSecureServer { server, identity in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(["one"])
            let base = "https://localhost:\(server.port)/api/v1/builds"
            async let text = identity.curl(
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
        try await withSecureServer { server, identity in
            let tls = try identity.client()
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
        try await withSecureServer { server, identity in
            let answer = try await server.request("GET", "/healthz")
            #expect(answer.status == 400 && answer.text.contains("https"))
            let old = try await identity.curl(
                ["--tls-max", "1.1", "-w", "%{http_code}", "https://localhost:\(server.port)/healthz"]
            )
            #expect(old == "000")
        }
    }

    @Test("a handshake that does not come ends the connection, and others go on")
    func slowHandshake() async throws {
        try await withSecureServer {
            $0.headPatience = .milliseconds(200)
        } _: { server, identity in
            try await server.connect { client in
                try await client.send([0x16, 0x03, 0x01])
                try await client.end()
            }
            let answer = try await identity.curl(["https://localhost:\(server.port)/healthz"])
            #expect(answer == "ok\n")
        }
    }

    @Test("a stop of the server does not wait for clients of HTTP/2 that say nothing")
    func stop() async throws {
        try await withSecureServer {
            $0.shutdownPatience = .milliseconds(300)
        } _: { server, identity in
            let tls = try identity.client(["h2"])
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
        let first = try await TestIdentity.make("first")
        let second = try await TestIdentity.make("second")
        let files = Mutex(first.files)
        let certificate = try ServerCertificate { files.withLock { $0 } }
        try await withServer {
            $0.certificate = certificate
            $0.certificateInterval = .milliseconds(20)
        } _: { server in
            let target = "https://localhost:\(server.port)/healthz"
            #expect(try await first.curl([target]) == "ok\n")
            // The certificate was renewed, and its key not yet.
            files.withLock { $0.certificate = second.certificate }
            certificate.look(Logger(label: "test"))
            #expect(try await first.curl([target]) == "ok\n")
            #expect(try await second.curl([target]) == "")
            files.withLock { $0 = second.files }
            // The server looks in its own time.
            while try await second.curl([target]) != "ok\n" {}
            #expect(try await first.curl([target]) == "")
        }
    }

    @Test("files of no use are told by their names")
    func useless() async throws {
        let identity = try await TestIdentity.make("first")
        let other = try await TestIdentity.make("other")
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
