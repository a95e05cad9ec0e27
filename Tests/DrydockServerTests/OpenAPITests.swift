// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockServer

@Suite("The OpenAPI document", .timeLimit(.minutes(1)))
struct OpenAPITests {
    /// The operations of the document that a running server gives, by method and path.
    private func operations(_ document: JSON) -> [String: JSON] {
        var found: [String: JSON] = [:]
        for (path, methods) in document["paths"]?.object ?? [:] {
            for (method, operation) in methods.object ?? [:] { found["\(method) \(path)"] = operation }
        }
        return found
    }

    @Test("every route is in it, with its own answers and those of the checks before it")
    func complete() async throws {
        try await withServer { server in
            let answer = try await server.request("GET", "/api/openapi.json")
            #expect(answer.status == 200 && answer.json?["openapi"]?.string == "3.1.0")
            let operations = self.operations(answer.json ?? .null)
            #expect(!operations.isEmpty)
            for (name, operation) in operations {
                let answers = operation["responses"]?.object ?? [:]
                #expect(answers.keys.contains { $0 < "400" } && answers["421"] != nil, "\(name)")
                let isOpen = ["/ ", "/page.css ", "/page.js ", "/icon.svg "].contains {
                    "\(name) ".hasSuffix(" " + $0)
                }
                #expect((answers["403"] == nil) == isOpen, "\(name)")
                let names = operation["parameters"]?.array?.filter { $0["in"]?.string == "path" }
                    .compactMap { $0["name"]?.string }
                #expect(names?.allSatisfy { name.contains("{\($0)}") } == true, "\(name)")
                #expect(name.count { $0 == "{" } == names?.count, "\(name)")
            }
            let ids = operations.values.compactMap { $0["operationId"]?.string }
            #expect(Set(ids).count == operations.count)
        }
    }

    @Test(
        "a query that is broken, or says one thing twice, is refused",
        arguments: [
            "session_id=%zz", "session_id=a%2", "session_id=%ff", "title=%", "session_id=a&session_id=b",
        ]
    )
    func brokenQueries(query: String) async throws {
        try await withServer { server in
            for method in ["GET", "POST"] where method == "POST" || !query.hasPrefix("title") {
                let answer = try await server.request(
                    method,
                    "/api/v1/builds?" + query,
                    body: method == "POST" ? [0x1F, 0x8B, 8] : []
                )
                #expect(answer.status == 400, "\(method): \(answer.status)")
                #expect(answer.json?["code"]?.string == "query_invalid")
            }
        }
    }

    @Test("every schema that is referred to is there")
    func references() async throws {
        try await withServer { server in
            let document = try await server.request("GET", "/api/openapi.json")
            let known = document.json?["components"]?["schemas"]?.object?.keys.map(\.self) ?? []
            let named = document.text.split(separator: "#/components/schemas/").dropFirst()
                .map { String($0.prefix { $0 != "\"" }) }
            #expect(!named.isEmpty && Set(named).isSubset(of: known))
        }
    }

    @Test("a token is asked for by it exactly where the server asks for one")
    func tokens() async throws {
        let token = Digest(rawValue: "sha256:" + String(repeating: "0", count: 64))
        try await withServer {
            $0.tokens = [token]
        } _: { server in
            let document = try await server.request("GET", "/api/openapi.json").json ?? .null
            for (name, operation) in self.operations(document) where name.hasPrefix("get ") {
                let path = String(name.dropFirst(4)).replacing("{id}", with: "b_1").replacing(
                    "{path}",
                    with: "x"
                )
                let answer = try await server.request("GET", path)
                #expect((answer.status == 401) == (operation["security"] != nil), "\(name): \(answer.status)")
            }
        }
    }

    @Test(
        "an address means an operation as a whole, and only written in one way",
        arguments: [
            ("PUT", "/healthz", 405), ("PUT", "/api/v1/builds/b_1/artifacts/a/b", 405),
            ("PUT", "/api/v1/builds/b_1/artifacts", 405), ("PUT", "/api/v1/builds/b_1/x", 404),
            ("GET", "//healthz", 404), ("GET", "/healthz/", 404), ("GET", "/api//v1/builds", 404),
            ("GET", "/HEALTHZ", 404), ("GET", "/api/v1/builds/B_1", 404),
        ]
    )
    func addresses(method: String, target: String, status: Int) async throws {
        try await withServer { server in
            let answer = try await server.request(method, target)
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect((answer.headers["allow"] != nil) == (status == 405))
        }
    }

    @Test("a method that is refused is answered with those there are, HEAD among them")
    func allowed() async throws {
        try await withServer { server in
            for (target, methods) in [
                ("/healthz", "GET, HEAD"), ("/api/v1/builds", "GET, HEAD, POST"),
                ("/api/v1/builds/b_1/retry", "POST"),
            ] {
                let answer = try await server.request("PATCH", target)
                #expect(answer.headers["allow"] == methods)
            }
        }
    }

    @Test("HEAD is answered like GET, without the body")
    func heads() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            for target in ["/", "/healthz", "/api/v1/builds", "/nope", "/api/v1/builds/\(build.id)/events"] {
                let head = try await server.request("HEAD", target)
                #expect(head.status == (target == "/nope" ? 404 : 200))
                // A stream's length is not known.
                #expect((head.headers["content-length"] == nil) == target.hasSuffix("/events"), "\(target)")
                #expect(head.headers["content-length"] != "0", "\(target)")
            }
        }
    }
}
