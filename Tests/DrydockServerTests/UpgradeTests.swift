// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Testing

@testable import DrydockServer

@Suite("Becoming a WebSocket", .timeLimit(.minutes(1)))
struct UpgradeTests {
    @Test("any request of a connection may upgrade, not only the first")
    func keepAlive() async throws {
        try await withServer { server in
            try await server.connect { client in
                for _ in 0..<2 {
                    try await client.request("GET", "/healthz")
                    #expect(try await client.response().status == 200)
                }
                try await client.upgrade()
                try await client.say(#"{"type":"PING"}"#)
                #expect(try await client.message()["type"]?.string == "PONG")
            }
        }
    }

    @Test("an upgrade pipelined behind a request waits for its answer; frames sent with it are not lost")
    func pipelined() async throws {
        try await withServer { server in
            try await server.connect { client in
                var text =
                    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ws HTTP/1.1\r\nHost: localhost\r\n"
                for (name, value) in RawClient.handshake { text += "\(name): \(value)\r\n" }
                try await client.send(
                    Array((text + "\r\n").utf8) + clientFrame(0x81, Array(#"{"type":"PING"}"#.utf8))
                )
                #expect(try await client.response().text == "ok\n")
                #expect(try await client.head().status == 101)
                #expect(try await client.message()["type"]?.string == "PONG")
            }
        }
    }

    @Test("without Connection: Upgrade it is an ordinary request, and those behind it keep their places")
    func noUpgrade() async throws {
        try await withServer { server in
            try await server.connect { client in
                try await client.request("GET", "/ws", headers: ["Upgrade": "websocket"])
                try await client.request("POST", "/api/v1/builds", body: [0x1F, 0x8B, 8])
                try await client.request("GET", "/healthz")
                #expect(try await client.response().status == 426)
                #expect(try await client.response().status == 202)
                #expect(try await client.response().text == "ok\n")
            }
        }
    }

    @Test("an upgrade with a body does not hang")
    func withBody() async throws {
        try await withServer { server in
            try await server.connect { client in
                try await client.request("GET", "/ws", headers: RawClient.handshake, body: Array("body".utf8))
                #expect(try await client.head().status == 101)
                try await client.say(#"{"type":"PING"}"#)
                #expect(try await client.message()["type"]?.string == "PONG")
            }
        }
    }

    @Test("other upgrades are answered as usual, and the connection closed", arguments: ["h2c", "websocket"])
    func otherUpgrade(name: String) async throws {
        try await withServer { server in
            try await server.connect { client in
                try await client.request(
                    "GET",
                    "/healthz",
                    headers: ["Upgrade": name, "Connection": "Upgrade"]
                )
                let response = try await client.response()
                #expect(response.status == 200 && response.headers["connection"] == "close")
                try await client.end()
            }
        }
    }

    @Test(
        "bad handshakes are refused with a problem",
        arguments: [
            (["Sec-WebSocket-Version": "8"], 426), (["Sec-WebSocket-Key": "short"], 400),
            (["Origin": "https://evil.example"], 403), (["Origin": "null"], 403),
            (["Host": "rebound.example"], 421),
            (["Origin": "http://d-0123456789ab.localhost"], 403),
        ]
    )
    func refused(change: [String: String], status: Int) async throws {
        try await withServer { server in
            try await server.connect { client in
                let headers = RawClient.handshake.merging(change) { $1 }
                try await client.request("GET", "/ws", headers: headers)
                let response = try await client.response()
                #expect(response.status == status && response.json?["code"]?.string != nil)
            }
        }
    }

    @Test("the own origin, configured ones and loopback pages may connect")
    func allowedOrigins() async throws {
        try await withServer {
            $0.origins = ["https://app.example"]
        } _: { server in
            for origin in ["http://localhost", "https://app.example", "http://127.0.0.1:3000"] {
                try await server.connect { client in
                    try await client.request(
                        "GET",
                        "/ws",
                        headers: RawClient.handshake.merging(["Origin": origin]) { $1 }
                    )
                    #expect(try await client.head().status == 101, "\(origin)")
                }
            }
        }
    }

    @Test("tokens open /ws and the API, by header or subprotocol")
    func tokens() async throws {
        try await withServer {
            $0.tokens = [SHA256Hasher.digest(of: "secret".utf8)]
        } _: { server in
            let cases: [([String: String], Int)] = [
                (["Authorization": "Bearer wrong!"], 401), (["Authorization": "Basic c2VjcmV0"], 401),
                (["Sec-WebSocket-Protocol": "drydock, bearer.wrong"], 401),
                (["Authorization": "Bearer secret"], 101),
                (["Sec-WebSocket-Protocol": "drydock, bearer.secret"], 101),
            ]
            for (headers, status) in cases {
                try await server.connect { client in
                    try await client.request(
                        "GET",
                        "/ws",
                        headers: RawClient.handshake.merging(headers) { $1 }
                    )
                    #expect(try await client.head().status == status)
                }
            }
            #expect(try await server.request("GET", "/api/v1/builds").status == 401)
            let allowed = try await server.request(
                "GET",
                "/api/v1/builds",
                headers: ["Authorization": "Bearer secret"]
            )
            #expect(allowed.status == 200)
        }
    }
}
