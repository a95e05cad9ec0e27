// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import FoundationEssentials
import SystemPackage
import Testing

@testable import DrydockEgress

@Suite("Downloads that builds share", .timeLimit(.minutes(2)))
struct CacheTests {
    static let immutable = "Cache-Control: public, max-age=31536000, immutable"

    @Test("what one build has fetched another gets without the host, and its record says so")
    func second() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set(
                "/tide.tar.gz",
                [Self.immutable, "Content-Type: application/gzip", "ETag: \"1\""],
                "bytes"
            )
            let first = try await fixture.sandbox { curl async throws in
                #expect(try await curl("/tide.tar.gz", []) == "bytes")
            }
            #expect(first.map(\.verdict) == [.allowed(rule: "good.example:\(fixture.port)")], "\(first)")
            #expect(try await fixture.files(1).count == 1)
            let second = try await fixture.sandbox { curl async throws in
                let answer = try await curl("/tide.tar.gz", ["-i"])
                #expect(
                    answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nbytes"),
                    "\(answer)"
                )
                for field in ["Content-Type: application/gzip", "ETag: \"1\"", "Content-Length: 5", "Age: "] {
                    #expect(answer.contains("\r\n\(field)"), "\(field): \(answer)")
                }
                let again = try await curl(
                    "/tide.tar.gz",
                    ["-w", " %{num_connects}", "https://good.example:\(fixture.port)/tide.tar.gz"]
                )
                #expect(again == "bytes 1bytes 0", "\(again)")
            }
            #expect(fixture.site.requests.count == 1)
            let rule = "good.example:\(fixture.port), from the cache"
            #expect(second.map(\.verdict) == [.allowed(rule: rule)], "\(second)")
            #expect(second.first?.connections == 3 && second.first?.received == ByteCount(15), "\(second)")
        }
    }

    @Test("a large file goes by in parts, checked, and is whole")
    func large() async throws {
        try await CacheFixture.with { fixture async throws in
            let body = String(repeating: "0123456789abcdef", count: 60_000)
            fixture.site.set("/large", [Self.immutable], body)
            #expect(try await fixture.curl("/large") == body)
            #expect(try await fixture.files(1).count == 1)
            #expect(try await fixture.curl("/large") == body)
            #expect(try await fixture.curl("/large", ["-I"]).contains("Content-Length: \(body.utf8.count)"))
            #expect(fixture.site.requests.count == 1)
        }
    }

    @Test("the host hears nothing of who asks, and the same from everyone")
    func request() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x", [Self.immutable], "x")
            _ = try await fixture.curl(
                "/x",
                [
                    "-A", "spy/1", "-H", "Accept-Encoding: gzip", "-H", "Accept-Language: mine", "-H",
                    "npm-session: mine",
                ]
            )
            let heard = try #require(fixture.site.requests.first)
            for word in ["spy", "npm", "gzip", "mine"] { #expect(!heard.contains(word), "\(heard)") }
            #expect(heard.contains("Accept: */*\r\n") && heard.contains("Accept-Encoding: identity\r\n"))
        }
    }

    @Test("other forms, queries and paths are other answers")
    func keys() async throws {
        try await CacheFixture.with { fixture async throws in
            for path in ["/x", "/x?a", "/x?a=1", "/%78", "/./x"] {
                fixture.site.set(path) { request in
                    let accept = request.split(separator: "\r\n").first { $0.hasPrefix("Accept:") } ?? ""
                    return CacheFixture.Site.ok([Self.immutable], "\(path) \(accept)")
                }
            }
            for path in ["/x", "/x?a", "/x?a=1", "/%78", "/./x"] {
                for accept in ["text/html", "application/json"] {
                    let expected = "\(path) Accept: \(accept)"
                    #expect(try await fixture.curl(path, ["-H", "Accept: \(accept)"]) == expected)
                }
            }
            #expect(try await fixture.files(10).count == 10)
            #expect(fixture.site.requests.count == 10)
        }
    }

    @Test(
        "what is for one client alone, or for the moment, is not kept",
        arguments: [
            ["Cache-Control: no-store, max-age=600"], ["Cache-Control: private, max-age=600"],
            ["Cache-Control: private=\"X\", max-age=600"], ["Cache-Control: max-age=600", "Set-Cookie: a=1"],
            ["Cache-Control: max-age=600", "Vary: *"], ["Cache-Control: max-age=600", "Vary: Accept, *"],
            ["Cache-Control: max-age=0"], ["Cache-Control: no-cache, max-age=600"],
            ["Cache-Control: max-age=x"],
            ["Cache-Control: max-age=600, max-age=700"], ["Cache-Control: max-age=600", "Age: 600"],
            ["Cache-Control: s-maxage=0, max-age=600"], ["Expires: 0"], [],
            ["Cache-Control: private; max-age=600"], ["Cache-Control: max-age=600; no-store"],
            ["Cache-Control: max-age=600", "Date: Sun, 06 Nov 1994 08:49:37 GMT"],
        ]
    )
    func notKept(fields: [String]) async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x", fields, "x")
            fixture.site.set("/neighbour", [Self.immutable], "n")
            for path in ["/x", "/neighbour", "/x", "/neighbour"] { _ = try await fixture.curl(path) }
            let names = try await fixture.files(1)
            #expect(names.count == 1)
            _ = try await fixture.curl("/neighbour")
            #expect(fixture.site.requests.filter { $0.hasPrefix("GET /x ") }.count == 2)
            #expect(fixture.site.requests.filter { $0.hasPrefix("GET /neighbour ") }.count <= 2)
        }
    }

    @Test(
        "a request that is somebody's, for a part, or more than a look goes to the host each time, and nothing of it is kept",
        arguments: [
            ["-H", "Authorization: Bearer mine"], ["-H", "Cookie: a=1"], ["-H", "Range: bytes=0-0"],
            ["-d", "x"],
            ["-X", "GET", "-d", "x"], ["-X", "DELETE"], ["-H", "Upgrade: other"],
            ["-H", "PRIVATE-TOKEN: mine"], ["-H", "X-Original-URL: /mine"], ["-H", "If-Match: \"1\""],
        ]
    )
    func personal(arguments: [String]) async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x", [Self.immutable], "x")
            for _ in 0..<2 { #expect(try await fixture.curl("/x", arguments) == "x") }
            #expect(fixture.site.requests.count == 2)
            #expect(try await fixture.files(0).isEmpty)
            // Nor does it get what is kept.
            #expect(try await fixture.curl("/x") == "x")
            #expect(try await fixture.files(1).count == 1)
            #expect(try await fixture.curl("/x", arguments) == "x")
            #expect(fixture.site.requests.count == 4)
            #expect(fixture.site.requests[3].contains("mine") == arguments.contains { $0.contains("mine") })
        }
    }

    @Test("what a secret fetched is not kept, and who has the secret does not get what is")
    func secrets() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x") { request in
                CacheFixture.Site.ok(
                    [Self.immutable],
                    request.contains("Authorization: ") ? "for one" : "for all"
                )
            }
            let secret = try HostSecret(try HostName("good.example"), port: fixture.port, .bearer("hunter22"))
            try await fixture.sandbox(secret: secret) { curl async throws in
                #expect(try await curl("/x", []) == "for one")
            }
            #expect(try await fixture.files(0).isEmpty)
            #expect(try await fixture.curl("/x") == "for all")
            #expect(try await fixture.files(1).count == 1)
            try await fixture.sandbox(secret: secret) { curl async throws in
                #expect(try await curl("/x", []) == "for one")
            }
            #expect(fixture.site.requests.count == 3)
        }
    }

    @Test("TLS of a host that is not named goes through unopened")
    func unopened() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x", [Self.immutable], "x")
            try await fixture.sandbox(isCached: false) { curl async throws in
                for _ in 0..<2 { #expect(try await curl("/x", ["-A", "me"]) == "x") }
            }
            #expect(fixture.site.requests.count == 2 && fixture.site.requests[0].contains("User-Agent: me"))
            #expect(try await fixture.files(0).isEmpty)
        }
    }

    @Test("half an answer is not kept, nor one whose end only the connection tells")
    func halves() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/half") { _ in "200 OK\r\nContent-Length: 10\r\n\(Self.immutable)\r\n\r\nhalf" }
            fixture.site.set("/open") { _ in "200 OK\r\n\(Self.immutable)\r\n\r\nopen" }
            fixture.site.set("/chunks") { _ in
                "200 OK\r\nTransfer-Encoding: chunked\r\n\(Self.immutable)\r\n\r\n6\r\nchunks\r\n0\r\n\r\n"
            }
            fixture.site.set("/cut") { _ in
                "200 OK\r\nTransfer-Encoding: chunked\r\n\(Self.immutable)\r\n\r\n6\r\nchunks\r\n"
            }
            #expect(try await fixture.curl("/half").contains("curl: "))
            #expect(try await fixture.curl("/cut").contains("curl: "))
            #expect(try await fixture.curl("/open") == "open")
            #expect(try await fixture.curl("/chunks") == "chunks")
            #expect(try await fixture.files(1).count == 1)
            #expect(try await fixture.curl("/chunks") == "chunks" && fixture.site.requests.count == 4)
        }
    }

    @Test("what a sandbox gets from the cache counts as what it may move; the next sandbox gets all of it")
    func limit() async throws {
        try await CacheFixture.with { fixture async throws in
            let body = String(repeating: "0123456789abcdef", count: 30_000)
            fixture.site.set("/large", [Self.immutable], body)
            #expect(try await fixture.curl("/large") == body)
            #expect(try await fixture.files(1).count == 1)
            let uses = try await fixture.sandbox(limit: ByteCount(600_000)) { curl async throws in
                #expect(try await curl("/large", []) == body)
                #expect(try await curl("/large", []).contains("curl: "))
                #expect(try await curl("/large", []).contains("drydock: good.example"))
            }
            #expect(uses.contains { !$0.verdict.isAllowed }, "\(uses)")
            #expect(try await fixture.curl("/large") == body)
            #expect(fixture.site.requests.count == 1)
        }
    }

    @Test(
        "an answer in a coding that only the connection's end could end is refused, and not kept",
        arguments: [
            "identity", "gzip", "chunked, gzip", "gzip, chunked", "chunked, identity", "other",
            "chunked\r\nTransfer-Encoding: chunked",
        ]
    )
    func codings(coding: String) async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x") { _ in
                "200 OK\r\nTransfer-Encoding: \(coding)\r\n\(Self.immutable)\r\n\r\n4\r\nhalf\r\n"
            }
            fixture.site.set("/neighbour") { _ in
                "200 OK\r\nTransfer-Encoding: Chunked\r\n\(Self.immutable)\r\n\r\n5\r\nwhole\r\n0\r\n\r\n"
            }
            let answer = try await fixture.curl("/x")
            #expect(!answer.contains("half"), "\(answer)")
            #expect(try await fixture.curl("/neighbour") == "whole")
            #expect(try await fixture.files(1).count == 1)
        }
    }

    @Test("a client that leaves in the middle leaves nothing behind")
    func left() async throws {
        try await CacheFixture.with(size: .mebibytes(256)) { fixture async throws in
            let body = String(repeating: "0123456789abcdef", count: 1_500_000)
            fixture.site.set("/large", [Self.immutable], body)
            let count = ["-o", "/dev/null", "-w", "%{size_download}"]
            let answer = try await fixture.curl("/large", count + ["--limit-rate", "1k", "--max-time", "1"])
            #expect(answer.contains("curl: "))
            #expect(try await fixture.files(0).isEmpty)
            for _ in 0..<2 { #expect(try await fixture.curl("/large", count) == "\(body.utf8.count)") }
        }
    }
}
