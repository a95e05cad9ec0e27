// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockStore
import DrydockTestSupport
import FoundationEssentials
import Testing

@testable import DrydockServer

@Suite("Uploads", .timeLimit(.minutes(1)))
struct UploadTests {
    private static let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0]
    private static let json = ["Content-Type": "application/json"]

    @Test("a key without a session works, belongs to its token, and is refused with another body")
    func keys() async throws {
        let tokens = ["first", "second"]
        try await withServer {
            $0.tokens = tokens.map { SHA256Hasher.digest(of: $0.utf8) }
        } _: { server in
            func post(
                _ token: String,
                _ query: String = "",
                _ body: [UInt8] = Self.gzip
            ) async throws -> RawResponse {
                try await server.request(
                    "POST",
                    "/api/v1/builds" + query,
                    headers: ["Idempotency-Key": "k", "Authorization": "Bearer \(token)"],
                    body: body
                )
            }
            let first = try await post("first")
            #expect(first.status == 202)
            #expect(try await post("first").json?["id"] == first.json?["id"])
            let other = try await post("second")
            #expect(other.status == 202 && other.json?["id"] != first.json?["id"])
            for changed in [
                try await post("first", "?title=x"), try await post("first", "", Self.gzip + [1]),
            ] {
                #expect(changed.status == 422 && changed.json?["code"]?.string == "idempotency_key_reused")
            }
        }
    }

    @Test("a key tells a directory from a parameter that is called so")
    func keysOfWishes() async throws {
        try await withServer { server in
            var answers: [RawResponse] = []
            for query in ["?directory=x", "?param=directory%3Dx"] {
                answers.append(
                    try await server.request(
                        "POST",
                        "/api/v1/builds" + query,
                        headers: ["Idempotency-Key": "k"],
                        body: Self.gzip
                    )
                )
            }
            #expect(answers.map(\.status) == [202, 422])
        }
    }

    @Test("a refused upload does not take what a running build has just stored")
    func refusedBesideBuild() async throws {
        try await withServer { server in
            let headers = ["Idempotency-Key": "k"]
            let target = "/api/v1/builds"
            let first = try await server.request("POST", target, headers: headers, body: Self.gzip + [1])
            // As a worker does, in a process of its own: the row that names it comes with the build's end.
            let worker = try EmbeddedStore(opening: server.store.directory.path)
            let digest = try worker.keep(Self.gzip)
            let second = try await server.request("POST", target, headers: headers, body: Self.gzip)
            #expect([first.status, second.status] == [202, 422])
            #expect(try await server.store.blob(digest) != nil)
            try worker.close()
        }
    }

    @Test("names are checked before the body is read", arguments: ["session_id", "project"])
    func namesFirst(_ name: String) async throws {
        try await withServer { server in
            try await server.connect { client in
                let target = "/api/v1/builds?\(name)=%01"
                try await client.request("POST", target, headers: ["Content-Length": "1000000"])
                // Not a byte of the body was sent.
                #expect(try await client.head().status == 400)
            }
        }
    }

    @Test("what is refused before its body leaves no blob behind, and 429 says when to come back")
    func refused() async throws {
        try await withServer { server in
            for _ in 0..<100 { _ = try await server.enqueue("full") }
            let before = try Self.blobs(server)
            for headers in [[:], ["Idempotency-Key": "k"]] {
                let answer = try await server.request(
                    "POST",
                    "/api/v1/builds?session_id=full",
                    headers: headers,
                    body: Self.gzip
                )
                #expect(answer.status == 429 && answer.headers["retry-after"].flatMap { Int($0) } ?? 0 > 0)
                #expect(try Self.blobs(server) == before)
            }
        }
    }

    @Test(
        "a full queue reads no body, whatever the key and whether a session is named",
        arguments: [0, 1, 2]
    )
    func fullBeforeBody(_ kind: Int) async throws {
        try await withServer { _ in
        } storing: {
            $0.queuedInAll = 1
        } _: { server in
            _ = try await server.enqueue("other")
            try await server.connect { client in
                var headers = ["Content-Length": "1000000"]
                if kind > 0 { headers["Idempotency-Key"] = "new" }
                let target = "/api/v1/builds" + (kind > 1 ? "?session_id=s" : "")
                try await client.request("POST", target, headers: headers)
                // Not a byte of the body was sent.
                #expect(try await client.head().status == 429)
            }
        }
    }

    @Test("a key that is known is answered by its build, or conflicts, however full the queue is")
    func fullWithKnownKey() async throws {
        try await withServer { _ in
        } storing: {
            $0.queuedPerSession = 1
        } _: { server in
            func post(_ target: String, _ body: [UInt8] = Self.gzip) async throws -> RawResponse {
                let headers = ["Idempotency-Key": "k"]
                return try await server.request("POST", target, headers: headers, body: body)
            }
            let first = try await post("/api/v1/builds?session_id=s")
            let again = try await post("/api/v1/builds?session_id=s")
            #expect(again.status == 202 && again.json?["id"] == first.json?["id"])
            #expect(try await post("/api/v1/builds?session_id=s", Self.gzip + [1]).status == 422)
        }
    }

    @Test("what others use is not taken back with a refused upload")
    func sharedBlob() async throws {
        try await withServer { server in
            let target = "/api/v1/builds"
            let headers = ["Idempotency-Key": "k"]
            let statuses = [
                try await server.request("POST", target, body: Self.gzip).status,
                try await server.request("POST", target, headers: headers, body: Self.gzip + [1]).status,
                try await server.request("POST", target, headers: headers, body: Self.gzip).status,
            ]
            #expect(statuses == [202, 202, 422])
            #expect(try await server.store.blob(SHA256Hasher.digest(of: Self.gzip)) != nil)
        }
    }

    @Test("JSON of clients is read in bounds: deep and wide ones are refused, honest ones are not")
    func bounded() async throws {
        try await withServer { server in
            let lists = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
            let deep = #"{"source":{"path":"/x"},"more":\#(lists)}"#
            for body in [deep, #"{"source":{"path":"/x"},"source":{"path":"/y"}}"#] {
                let answer = try await server.request(
                    "POST",
                    "/api/v1/builds",
                    headers: Self.json,
                    body: Array(body.utf8)
                )
                // 403 would be an answer to what it asks for.
                #expect(answer.status == 400)
            }
            try await server.watch("s") { client in
                let wide = Array(repeating: "0", count: 70_000).joined(separator: ",")
                for data in ["[\(wide)]", lists] {
                    try await client.say(#"{"type":"PING","data":\#(data)}"#)
                    #expect(try await client.message()["data"]?["code"]?.string == "message_not_json")
                }
                try await client.say(#"{"type":"PING","data":{"deep":[[[[[{"a":[1,2,3]}]]]]]}}"#)
                #expect(try await client.message()["type"]?.string == "PONG")
            }
        }
    }

    @Test(
        "an order that says something else than it means is refused, not half understood",
        arguments: [
            (#""source":{"path":"/x"},"directory":7"#, "order_invalid"),
            (#""source":{"path":"/x"},"title":["a"]"#, "order_invalid"),
            (#""source":{"path":"/x"},"sesion_id":"s""#, "order_invalid"),
            (#""source":{"path":"/x"},"session_id":false"#, "order_invalid"),
            (#""source":{"git":{"url":"https://x/y","ref":"main"}}"#, "source_invalid"),
            (#""source":{"git":{"url":"https://x/y","revision":7}}"#, "source_invalid"),
            (#""source":{"path":7}"#, "source_invalid"), (#""source":"/x""#, "source_invalid"),
        ]
    )
    func refusedOrders(fields: String, code: String) async throws {
        try await withServer {
            $0.allowsPathSources = true
            $0.allowsGitSources = true
        } _: { server in
            let answer = try await server.request(
                "POST",
                "/api/v1/builds",
                headers: Self.json,
                body: Array("{\(fields)}".utf8)
            )
            #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(answer.text)")
        }
    }

    @Test(
        "orders that were good stay good",
        arguments: [
            #""source":{"path":"/x"},"session_id":"s","project":"p","title":"t","directory":"d","params":{"a":"b"}"#,
            #""source":{"path":"/x"},"session_id":null,"project":null,"title":"","directory":null,"params":null"#,
            #""source":{"git":{"url":"https://x/y","revision":"main"}}"#,
            #""source":{"git":{"url":"https://x/y","revision":null}}"#, #""source":{"git":"https://x/y"}"#,
        ]
    )
    func goodOrders(fields: String) async throws {
        try await withServer {
            $0.allowsPathSources = true
            $0.allowsGitSources = true
        } _: { server in
            let answer = try await server.request(
                "POST",
                "/api/v1/builds",
                headers: Self.json,
                body: Array("{\(fields)}".utf8)
            )
            #expect(answer.status == 202, "\(answer.text)")
        }
    }

    private static func blobs(_ server: RunningServer) throws -> [String] {
        let root = server.store.directory.blobs.appending("sha256").string
        return try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.utf8.count > 3 }.sorted()
    }
}
