// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockEgress

@Suite("Downloads that builds share, when they are over", .timeLimit(.minutes(2)))
struct CacheValidationTests {
    @Test(
        "what is over is asked for again by its tag: not sent again where it still holds, replaced where not"
    )
    func revalidation() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/simple/") { request in
                request.contains("If-None-Match: \"1\"")
                    ? "304 Not Modified\r\nETag: \"1\"\r\n\r\n"
                    : CacheFixture.Site.ok(["Cache-Control: max-age=600", "ETag: \"1\""], "one")
            }
            #expect(try await fixture.curl("/simple/") == "one")
            #expect(try await fixture.files(1).count == 1)
            #expect(try await fixture.curl("/simple/") == "one" && fixture.site.requests.count == 1)
            try fixture.age(by: 601)
            let uses = try await fixture.sandbox { curl async throws in
                #expect(try await curl("/simple/", []) == "one")
            }
            #expect(fixture.site.requests.count == 2 && fixture.site.requests[1].contains("If-None-Match"))
            #expect(uses.count == 2, "\(uses)")
            // It holds for another while.
            try await Self.until {
                try await fixture.curl("/simple/") == "one" && fixture.site.requests.count == 2
            }
            try fixture.age(by: 601)
            fixture.site.set("/simple/", ["Cache-Control: max-age=600", "ETag: \"2\""], "two")
            #expect(try await fixture.curl("/simple/") == "two")
            try await Self.until {
                try await fixture.curl("/simple/") == "two" && fixture.site.requests.count == 3
            }
        }
    }

    /// What is written when the client has its answer already is there some time later.
    private static func until(_ isSo: () async throws -> Bool) async throws {
        for _ in 0..<100 where try await !isSo() { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await isSo())
    }

    @Test("a client that has it already is told so")
    func notModified() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x", [CacheTests.immutable, "ETag: \"1\""], "x")
            #expect(try await fixture.curl("/x", ["-H", "If-None-Match: \"1\""]) == "x")
            #expect(try await fixture.files(1).count == 1)
            let answer = try await fixture.curl("/x", ["-i", "-H", "If-None-Match: W/\"0\", W/\"1\""])
            #expect(answer.hasPrefix("HTTP/1.1 304 ") && answer.hasSuffix("\r\n\r\n"), "\(answer)")
        }
    }

    @Test(
        "what a host takes back when it is asked whether it still holds is given once more, and asked for anew",
        arguments: [
            "Cache-Control: no-store", "Cache-Control: private", "Cache-Control: max-age=1",
            "Set-Cookie: a=1",
        ]
    )
    func takenBack(field: String) async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x") { request in
                request.contains("If-None-Match")
                    ? "304 Not Modified\r\nETag: \"1\"\r\n\(field)\r\n\r\n"
                    : CacheFixture.Site.ok(["Cache-Control: max-age=600", "ETag: \"1\""], "one")
            }
            #expect(try await fixture.curl("/x") == "one")
            #expect(try await fixture.files(1).count == 1)
            try fixture.age(by: 601)
            #expect(try await fixture.curl("/x") == "one")
            #expect(try await fixture.files(0).isEmpty)
            #expect(fixture.site.requests.count == 2)
        }
    }

    @Test("that something else still holds says nothing of what is kept")
    func otherTag() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x", ["Cache-Control: max-age=600", "ETag: \"1\""], "one")
            #expect(try await fixture.curl("/x") == "one")
            #expect(try await fixture.files(1).count == 1)
            try fixture.age(by: 601)
            fixture.site.set("/x") { request in
                request.contains("If-None-Match")
                    ? "304 Not Modified\r\nETag: \"2\"\r\n\r\n"
                    : CacheFixture.Site.ok(["Cache-Control: max-age=600", "ETag: \"2\""], "two")
            }
            #expect(try await fixture.curl("/x") == "two")
            try await Self.until { try await fixture.curl("/x") == "two" && fixture.site.requests.count == 3 }
        }
    }

    @Test("what is kept for an error is no content that a client could have")
    func conditionalError() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x") { _ in
                "404 Not Found\r\nContent-Length: 4\r\nETag: \"1\"\r\n\(CacheTests.immutable)\r\n\r\nnone"
            }
            for _ in 0..<2 {
                let condition = ["-w", " %{http_code}", "-H", "If-None-Match: \"1\""]
                #expect(try await fixture.curl("/x", condition) == "none 404")
                #expect(try await fixture.files(1).count == 1)
            }
            #expect(fixture.site.requests.count == 1)
        }
    }
}
