// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import NIOCore
import Testing

@testable import DrydockServer

@Suite("Requests that come through proxies", .timeLimit(.minutes(1)))
struct ProxyTests {
    private func facts(
        from peer: String,
        _ headers: [String: [String]],
        trusting ranges: String...
    ) throws -> TrustedProxies.Facts {
        let proxies = TrustedProxies(ranges: try ranges.map { try #require(AddressRange($0)) })
        let peer = try SocketAddress(ipAddress: peer, port: 1)
        return proxies.facts(peer, "own.example") { headers[$0] ?? [] }
    }

    @Test(
        "the client is the nearest address that is no trusted proxy's",
        arguments: [
            (["198.51.100.7"], "198.51.100.7"),
            // What the client itself wrote stands to the left.
            (["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            (["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            (["203.0.113.9", "198.51.100.7,10.0.0.2"], "198.51.100.7"),
            (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (["198.51.100.7:4711"], "198.51.100.7"), (["::ffff:198.51.100.7"], "198.51.100.7"),
            (["2001:db8::7"], "2001:db8::7"), (["[2001:db8::7]:4711"], "2001:db8::7"),
        ]
    )
    func client(header: [String], address: String) throws {
        for peer in ["10.0.0.1", "::ffff:10.0.0.1"] {
            let facts = try facts(from: peer, ["x-forwarded-for": header], trusting: "10.0.0.0/8")
            #expect(facts.place == address)
        }
    }

    @Test(
        "a header that says no address on the way leaves the proxy's",
        arguments: [
            ["unknown"], [""], ["198.51.100.7,"], ["198.51.100.7, _hidden"], ["198.51.100.7.1"],
            ["a.example"],
            ["198.51.100.7, 10.0.0.2 10.0.0.3"], ["198.51.100.7", ""],
        ]
    )
    func malformed(header: [String]) throws {
        let facts = try facts(from: "10.0.0.1", ["x-forwarded-for": header], trusting: "10.0.0.0/8")
        #expect(facts.place == "10.0.0.1")
    }

    @Test(
        "scheme and host count from a trusted proxy, where each is said once and well; from others nothing does"
    )
    func others() throws {
        let all = [
            "x-forwarded-for": ["198.51.100.7"], "x-forwarded-proto": ["https"],
            "x-forwarded-host": ["app.example"],
        ]
        let own = TrustedProxies.Facts(
            address: IPAddress("10.0.0.1"),
            isSecure: false,
            authority: "own.example"
        )
        #expect(try facts(from: "10.0.0.1", all) == own)
        #expect(try facts(from: "10.0.0.1", all, trusting: "10.0.0.2", "192.0.2.0/24") == own)
        let trusted = try facts(from: "10.0.0.1", all, trusting: "10.0.0.1")
        #expect(
            trusted == .init(address: IPAddress("198.51.100.7"), isSecure: true, authority: "app.example")
        )
        let bad = ["x-forwarded-proto": ["https, http"], "x-forwarded-host": ["a.example", "b.example"]]
        #expect(try facts(from: "10.0.0.1", bad, trusting: "10.0.0.1") == own)
        #expect(try facts(from: "10.0.0.1", ["x-forwarded-host": ["a b"]], trusting: "10.0.0.1") == own)
    }

    @Test(
        "behind a trusted proxy, host, origin, preview and audit are the client's; else the headers mean nothing"
    )
    func served() async throws {
        let headers = [
            "X-Forwarded-For": "203.0.113.1, 198.51.100.7", "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "app.example",
        ]
        let body: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0]
        for isTrusted in [true, false] {
            try await withServer {
                $0.trustedProxies = isTrusted ? [AddressRange("127.0.0.0/8")].compactMap(\.self) : []
                $0.hosts = ["app.example"]
                $0.tokens = [SHA256Hasher.digest(of: "secret".utf8)]
            } _: { server in
                let token = ["Authorization": "Bearer secret"]
                func post(_ origin: String) async throws -> Int {
                    let all = headers.merging(token) { $1 }.merging(["Origin": origin]) { $1 }
                    return try await server.request("POST", "/api/v1/builds", headers: all, body: body).status
                }
                #expect(try await post("https://app.example") == (isTrusted ? 202 : 403))
                #expect(
                    try await post("http://app.example") == 403,
                    "anybody on the way could have made that page"
                )
                #expect(try await post("http://localhost") == 202)
                let places = try await server.store.audit(limit: 10).map(\.address)
                #expect(Set(places) == [isTrusted ? "198.51.100.7" : "127.0.0.1"])
                let hidden = headers.merging(["X-Forwarded-Host": "other.example"]) { $1 }
                let answer = try await server.request("GET", "/healthz", headers: hidden)
                #expect(answer.status == (isTrusted ? 421 : 200))
            }
        }
    }

    /// The status of an upgrade that a proxy passes on for `address`.
    private static func upgrade(_ address: String, _ client: RawClient) async throws -> Int {
        let headers = RawClient.handshake.merging(["X-Forwarded-For": address]) { $1 }
        try await client.request("GET", "/ws", headers: headers)
        return try await client.head().status
    }

    @Test("connections to /ws count for the client behind the proxy, its requests for nobody")
    func counted() async throws {
        try await withServer {
            $0.trustedProxies = [AddressRange("127.0.0.1")].compactMap(\.self)
            $0.connectionsPerAddress = 1
        } _: { server in
            let statuses = try await server.connect { first in
                let own = try await Self.upgrade("198.51.100.7", first)
                let same = try await server.connect { try await Self.upgrade("198.51.100.7", $0) }
                let other = try await server.connect { try await Self.upgrade("198.51.100.8", $0) }
                let headers = ["X-Forwarded-For": "198.51.100.7"]
                let request = try await server.request("GET", "/healthz", headers: headers).status
                return [own, same, other, request]
            }
            #expect(statuses == [101, 429, 101, 200])
            // The server hears of the first one's end in its own time; each look is a connection.
            var status = 0
            while status != 101 {
                status = try await server.connect { try await Self.upgrade("198.51.100.7", $0) }
            }
        }
    }
}
