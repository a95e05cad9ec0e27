// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import FoundationEssentials
import Testing

@testable import DrydockServer

@Suite("The HTTP API", .timeLimit(.minutes(1)))
struct APITests {
    private static let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0]

    @Test("a source is accepted, listed, shown, cancelled and built again")
    func lifeCycle() async throws {
        try await withServer { server in
            let made = try await server.request(
                "POST",
                "/api/v1/builds?session_id=s&title=a%20b",
                body: Self.gzip
            )
            #expect(made.status == 202, "\(made.text)")
            let id = made.json?["id"]?.string ?? ""
            #expect(made.json?["session_id"]?.string == "s" && made.json?["title"]?.string == "a b")
            #expect(
                made.headers["location"] == "/api/v1/builds/\(id)" && made.json?["position"]?.integer == 0
            )
            let list = try await server.request("GET", "/api/v1/builds?session_id=s&state=queued")
            #expect(list.json?["builds"]?.array?.map { $0["id"]?.string } == [id])
            #expect(try await server.request("GET", "/api/v1/builds/\(id)/failure").status == 404)
            #expect(try await server.request("DELETE", "/api/v1/builds/\(id)").status == 202)
            let brief = try await server.request("GET", "/api/v1/builds/\(id)/failure")
            #expect(brief.status == 200 && brief.text.contains("cancelled"), "\(brief.text)")
            #expect(brief.headers["content-type"] == "text/plain; charset=utf-8")
            let shown = try await server.request("GET", "/api/v1/builds/\(id)")
            #expect(shown.json?["state"]?.string == "cancelled")
            let again = try await server.request("POST", "/api/v1/builds/\(id)/retry")
            #expect(again.status == 202 && again.json?["retry_of"]?.string == id)
        }
    }

    @Test("directory and parameters come with an upload or in JSON, are shown, and a retry repeats them")
    func directoryAndParameters() async throws {
        try await withServer {
            $0.allowsPathSources = true
        } _: { server in
            let query = "?directory=./services//api/&param=target%3Drelease&param=note%3Da%2Cb"
            let body =
                #"{"source":{"path":"/x"},"directory":"services/api","params":{"target":"release","note":"a,b"}}"#
            for made in [
                try await server.request("POST", "/api/v1/builds" + query, body: Self.gzip),
                try await server.request(
                    "POST",
                    "/api/v1/builds",
                    headers: ["Content-Type": "application/json"],
                    body: Array(body.utf8)
                ),
            ] {
                #expect(made.status == 202, "\(made.text)")
                let id = made.json?["id"]?.string ?? ""
                let again = try await server.request("POST", "/api/v1/builds/\(id)/retry")
                for shown in [try await server.request("GET", "/api/v1/builds/\(id)"), again] {
                    #expect(shown.json?["directory"]?.string == "services/api")
                    #expect(shown.json?["params"] == .object(["target": "release", "note": "a,b"]))
                }
            }
        }
    }

    @Test(
        "a directory that leaves the source and parameters that are none are refused",
        arguments: [
            ("directory=..%2Fx", "directory_invalid"), ("directory=%2Fetc", "directory_invalid"),
            ("directory=a%00b", "directory_invalid"), ("param=target", "params_invalid"),
            ("param=a-b%3Dc", "params_invalid"), ("param=a%3Db&param=a%3Dc", "params_invalid"),
        ]
    )
    func refusedWishes(query: String, code: String) async throws {
        try await withServer { server in
            let answer = try await server.request("POST", "/api/v1/builds?" + query, body: Self.gzip)
            #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(answer.text)")
        }
    }

    @Test("an idempotency key answers with the first build")
    func idempotency() async throws {
        try await withServer { server in
            var ids: Set<String> = []
            for _ in 0..<2 {
                let answer = try await server.request(
                    "POST",
                    "/api/v1/builds?session_id=s",
                    headers: ["Idempotency-Key": "k"],
                    body: Self.gzip
                )
                ids.insert(answer.json?["id"]?.string ?? "")
            }
            #expect(ids.count == 1 && !ids.contains(""))
        }
    }

    @Test(
        "bad sources are problems with the right code",
        arguments: [
            ("", [:], 400, "source_invalid"), ("no archive", [:], 400, "source_invalid"),
            (String(repeating: "x", count: 600), [:], 400, "source_invalid"),
            (String(repeating: "x", count: 2_000), [:], 413, "source_too_large"),
            ("{}", ["Content-Type": "application/json"], 400, "source_invalid"),
            (#"{"source":{"path":"/etc"}}"#, ["Content-Type": "application/json"], 403, "source_forbidden"),
            (
                #"{"source":{"git":{"url":"https://x"}}}"#, ["Content-Type": "application/json"], 403,
                "source_forbidden"
            ),
        ] as [(String, [String: String], Int, String)]
    )
    func badSources(body: String, headers: [String: String], status: Int, code: String) async throws {
        try await withServer {
            $0.longestUpload = ByteCount(1_024)
        } _: { server in
            let answer = try await server.request(
                "POST",
                "/api/v1/builds",
                headers: headers,
                body: Array(body.utf8)
            )
            #expect(answer.status == status && answer.json?["code"]?.string == code, "\(answer.text)")
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
    }

    @Test("a body without an announced length stops at the cap, and the connection ends")
    func chunkedBomb() async throws {
        try await withServer {
            $0.longestUpload = ByteCount(1_024)
        } _: { server in
            try await server.connect { client in
                try await client.request("POST", "/api/v1/builds", headers: ["Transfer-Encoding": "chunked"])
                try await client.send(
                    Array("800\r\n".utf8) + [UInt8](repeating: 0x78, count: 2_048) + Array("\r\n".utf8)
                )
                let answer = try await client.response()
                #expect(answer.status == 413 && answer.headers["connection"] == "close")
                try await client.end()
            }
        }
    }

    @Test(
        "addresses that are none, wrong methods, wrong values",
        arguments: [
            ("GET", "/nope", 404), ("GET", "/api/v1/builds/b_1", 404), ("GET", "/api/v1/builds/..%2f", 404),
            ("PUT", "/api/v1/builds", 405), ("POST", "/healthz", 405), ("GET", "/ws", 426),
            ("GET", "/api/v1/builds?limit=0", 400), ("GET", "/api/v1/builds?state=nope", 400),
        ]
    )
    func problems(method: String, target: String, status: Int) async throws {
        try await withServer { server in
            let answer = try await server.request(method, target)
            #expect(answer.status == status && answer.json?["status"]?.integer == status, "\(answer.text)")
        }
    }

    @Test("pages of other origins and unknown hosts are refused")
    func foreigners() async throws {
        try await withServer { server in
            let csrf = try await server.request(
                "POST",
                "/api/v1/builds",
                headers: ["Origin": "https://evil.example"],
                body: Self.gzip
            )
            #expect(csrf.status == 403)
            let rebound = try await server.request("GET", "/", headers: ["Host": "rebound.example"])
            #expect(rebound.status == 421)
            #expect(rebound.text.contains("`origins`"))
            #expect(try await server.request("GET", "/", headers: ["Host": "127.0.0.1:1"]).status == 200)
            let preview = try await server.request(
                "GET",
                "/api/v1/builds",
                headers: ["Host": "d-0123456789ab.localhost"]
            )
            #expect(preview.status == 404, "a preview's host never reaches the API")
        }
    }

    @Test("records stream while the build runs, and resume after a cursor")
    func events() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            let target = "/api/v1/builds/\(build.id)/events"
            try await server.connect { client in
                try await client.request("GET", target, headers: ["Accept": "text/event-stream"])
                #expect(try await client.head().headers["content-type"] == "text/event-stream")
                #expect(
                    String(decoding: try await client.chunk(), as: UTF8.self).hasPrefix(
                        "id: \(work.lease.attempt):1\n"
                    )
                )
                try work.log(["live"])
                #expect(String(decoding: try await client.chunk(), as: UTF8.self).contains(#""live""#))
                try await work.finish()
                while try await !client.chunk().isEmpty {}
            }
            let rest = try await server.request("GET", target + "?after=\(work.lease.attempt):2")
            #expect(
                rest.text.split(separator: "\n").count == 1 && rest.text.contains("finished"),
                "\(rest.text)"
            )
            let log = try await server.request("GET", "/api/v1/builds/\(build.id)/logs")
            #expect(log.text == "live\n")
            #expect(try await server.request("GET", target + "?after=a_x:1").status == 410)
        }
    }

    @Test("artifacts download as attachments, by ranges, with validators; the preview serves them as a site")
    func artifactsAndPreview() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            let deploy = DeployID.make()
            let files = [
                try work.artifact("index.html", "<h1>hi</h1>"), try work.artifact("sub/ä.txt", "0123456789"),
            ]
            try await work.finish(
                artifacts: files,
                preview: PreviewReady(deploy: deploy, root: "", spa: false)
            )
            let base = "/api/v1/builds/\(build.id)/artifacts"
            let list = try await server.request("GET", base)
            let url =
                list.json?["artifacts"]?.array?.compactMap { $0["url"]?.string }.first {
                    $0.hasSuffix(".txt")
                } ?? ""
            let part = try await server.request("GET", url, headers: ["Range": "bytes=2-4"])
            #expect(
                part.status == 206 && part.text == "234" && part.headers["content-range"] == "bytes 2-4/10"
            )
            #expect(part.headers["content-disposition"]?.hasPrefix("attachment") == true)
            #expect(part.headers["x-content-type-options"] == "nosniff")
            #expect(try await server.request("GET", base + "/../x").status == 404)
            let host = ["Host": "d-\(deploy).localhost:\(server.port)"]
            let page = try await server.request("GET", "/", headers: host)
            #expect(page.status == 200 && page.text == "<h1>hi</h1>", "\(page)")
            #expect(page.headers["x-robots-tag"] == "noindex" && page.headers["origin-agent-cluster"] == "?1")
            let etag = page.headers["etag"] ?? ""
            let cached = try await server.request(
                "GET",
                "/",
                headers: host.merging(["If-None-Match": etag]) { $1 }
            )
            #expect(cached.status == 304)
            let head = try await server.request("HEAD", "/", headers: host)
            #expect(head.headers["content-length"] == "11")
            #expect(try await server.request("GET", "/none", headers: host).status == 404)
            let shown = try await server.request(
                "GET",
                "/api/v1/builds/\(build.id)",
                headers: ["Host": "localhost:\(server.port)"]
            )
            #expect(shown.json?["urls"]?["preview"]?.string == "http://d-\(deploy).localhost:\(server.port)/")
        }
    }

    @Test("health, readiness, metrics, plugins and the page")
    func surroundings() async throws {
        let red: ReadinessCheck = { Failure(.sandboxUnavailable, .platform, "no user namespaces") }
        try await withServer(readiness: red) { server in
            #expect(try await server.request("GET", "/healthz").text == "ok\n")
            let ready = try await server.request("GET", "/readyz")
            #expect(ready.status == 503 && ready.json?["code"]?.string == "sandbox_unavailable")
            #expect(try await server.request("GET", "/api/v1/plugins").text == #"{"plugins":[]}"#)
            let metrics = try await server.request("GET", "/metrics")
            #expect(metrics.text.contains("drydock_ws_connections 0\n"))
            let page = try await server.request("GET", "/")
            #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            #expect(
                try await server.request("GET", "/page.js").headers["content-type"]
                    == "text/javascript; charset=utf-8"
            )
        }
    }

    @Test("a port that is in use is a clear error")
    func portInUse() async throws {
        try await withServer { server in
            do {
                try await withServer {
                    $0.port = server.port
                } _: { _ in
                    Issue.record("two servers on one port")
                }
                Issue.record("no error")
            } catch let error as DrydockServerError {
                #expect("\(error)".contains("another program"))
            }
        }
    }

    @Test("a client of HTTP/1.0 gets its answer and the end of the connection")
    func http10() async throws {
        try await withServer { server in
            try await server.connect { client in
                try await client.send(Array("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
                #expect(try await client.response().text == "ok\n")
                try await client.end()
            }
        }
    }

    @Test("two Host headers are refused, in whatever order")
    func twoHosts() async throws {
        try await withServer { server in
            for hosts in [["localhost", "evil.example"], ["evil.example", "localhost"]] {
                try await server.connect { client in
                    let fields = hosts.map { "Host: \($0)\r\n" }.joined()
                    try await client.send(Array("GET /healthz HTTP/1.1\r\n\(fields)\r\n".utf8))
                    #expect(try await client.response().status == 400)
                }
            }
        }
    }

    @Test("a body that breaks off or is no body is the client's problem, and leaves no blob behind")
    func brokenBody() async throws {
        try await withServer { server in
            try await server.connect { client in
                let head =
                    "POST /api/v1/builds HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                try await client.send(Array((head + "5\r\nabcde\r\nzz\r\n").utf8))
                let answer = try await client.response()
                #expect(answer.status == 400)
                #expect(answer.json?["code"]?.string == "body_broken")
            }
            let left = try FileManager.default.contentsOfDirectory(
                atPath: server.store.directory.blobs.appending("new").string
            )
            #expect(left.isEmpty)
        }
    }

    @Test("what the store refuses has its own status: unknown builds 404, a full queue 429")
    func storeErrors() async throws {
        try await withServer { server in
            #expect(try await server.request("GET", "/api/v1/builds?before=b_unknown").status == 404)
            for _ in 0..<100 { _ = try await server.enqueue("full") }
            let answer = try await server.request(
                "POST",
                "/api/v1/builds?session_id=full",
                body: [0x1F, 0x8B, 0x08]
            )
            #expect(answer.status == 429)
            #expect(answer.json?["code"]?.string == "queue_full")
        }
    }
}
