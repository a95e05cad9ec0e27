// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import FoundationEssentials
import NIOHTTP1
import SystemPackage
import Testing

@testable import DrydockEgress

@Suite("The files of shared downloads", .timeLimit(.minutes(2)))
struct CacheFileTests {
    @Test("whatever byte of a file is another, no client gets another answer than the host's")
    func damage() async throws {
        try await CacheFixture.with { fixture async throws in
            fixture.site.set("/x", [CacheTests.immutable], "the answer")
            #expect(try await fixture.curl("/x") == "the answer")
            let name = try #require(try await fixture.files(1).first)
            let path = fixture.path.appending(name).string
            let whole = try Data(contentsOf: URL(filePath: path))
            for offset in stride(from: 0, to: whole.count, by: 7) {
                var damaged = whole
                damaged[offset] ^= 1
                try damaged.write(to: URL(filePath: path))
                #expect(fixture.cache.open(try key(fixture)) == nil, "byte \(offset)")
            }
            for length in ["9223372036854775807", "0000000000000000000", "-000000000000000010"] {
                let damaged = whole.prefix(65) + Data(length.utf8) + whole.dropFirst(84)
                try damaged.write(to: URL(filePath: path))
                #expect(fixture.cache.open(try key(fixture)) == nil, "\(length)")
            }
            for length in [0, 1, 84, 85, 100, whole.count - 1] {
                try whole.prefix(length).write(to: URL(filePath: path))
                #expect(fixture.cache.open(try key(fixture)) == nil, "\(length) bytes")
            }
            try (whole + [0x20]).write(to: URL(filePath: path))
            #expect(fixture.cache.open(try key(fixture)) == nil)
            try whole.write(to: URL(filePath: path))
            #expect(fixture.cache.open(try key(fixture)) != nil)
        }
    }

    @Test("of a large file that is damaged a client gets no whole answer, and the next one the host's")
    func largeDamage() async throws {
        try await CacheFixture.with { fixture async throws in
            let body = String(repeating: "0123456789abcdef", count: 60_000)
            fixture.site.set("/x", [CacheTests.immutable], body)
            #expect(try await fixture.curl("/x") == body)
            let name = try #require(try await fixture.files(1).first)
            let file = URL(filePath: fixture.path.appending(name).string)
            var damaged = try Data(contentsOf: file)
            damaged[damaged.count / 2] ^= 1
            try damaged.write(to: file)
            #expect(try await fixture.curl("/x").contains("curl: "))
            #expect(try await fixture.files(0).isEmpty)
            #expect(try await fixture.curl("/x") == body && fixture.site.requests.count == 2)
        }
    }

    @Test("what is too large a part of the whole is passed on, and not kept")
    func tooLarge() async throws {
        try await CacheFixture.with(size: ByteCount(1 << 20)) { fixture async throws in
            let body = String(repeating: "0123456789abcdef", count: 20_000)
            fixture.site.set("/large", [CacheTests.immutable], body)
            #expect(try await fixture.curl("/large") == body)
            #expect(try await fixture.files(0).isEmpty)
        }
    }

    @Test("where there is too much, what was not used for longest goes")
    func eviction() async throws {
        try await CacheFixture.with(size: ByteCount(800_000)) { fixture async throws in
            let body = String(repeating: "0123456789", count: 8_000)
            for path in ["/a", "/b", "/c", "/d"] { fixture.site.set(path, [CacheTests.immutable], body) }
            for path in ["/a", "/b", "/c", "/d"] {
                _ = try await fixture.curl(path)
                // Not all at the same moment.
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(try await fixture.files(4).count == 4)
            _ = try await fixture.curl("/a")
            fixture.site.set("/e", [CacheTests.immutable], body)
            _ = try await fixture.curl("/e")
            #expect(try await fixture.files(5).count == 5)
            fixture.cache.sweep { _, _ in 200_000 }
            #expect(try await fixture.files(2).count == 2)
            let before = fixture.site.requests.count
            _ = try await fixture.curl("/a")
            _ = try await fixture.curl("/e")
            #expect(fixture.site.requests.count == before)
        }
    }

    @Test("files that nobody writes any more go, and strangers stay")
    func leftovers() async throws {
        try await CacheFixture.with { fixture async throws in
            _ = try fixture.folder.write("x", "cache/new-1")
            let written = try fixture.folder.write("x", "cache/new-2")
            _ = try fixture.folder.write("x", "cache/README")
            let file = try OwnedDescriptor(opening: FilePath(written), 0)
            let isLocked = try file.withDescriptor { file throws(Errno) in try file.tryLock() }
            #expect(isLocked)
            fixture.cache.sweep { _, _ in 0 }
            #expect(try DirectoryHandle(path: fixture.path).sortedNames() == ["README", "new-2"])
        }
    }

    @Test("a full disk loses half of what is kept, once, also where nothing was counted yet")
    func fullDisk() async throws {
        try await CacheFixture.with { fixture async throws in
            for number in 0..<8 {
                let body = String(repeating: "x", count: 8_000)
                fixture.site.set("/\(number)", [CacheTests.immutable], body)
                _ = try await fixture.curl("/\(number)")
            }
            #expect(try await fixture.files(8).count == 8)
            let other = try DownloadCache(at: fixture.path, size: .mebibytes(64))
            other.makeRoom(after: .ioError)
            #expect(try await fixture.files(8).count == 8)
            // Its first count is not waited for, but is not disturbed either.
            try await Task.sleep(for: .milliseconds(100))
            for _ in 0..<3 { other.makeRoom(after: .noSpace) }
            let left = try DirectoryHandle(path: fixture.path).sortedNames().count
            #expect((3...4).contains(left), "\(left)")
        }
    }

    @Test("a place that is no directory is told")
    func noDirectory() throws {
        let folder = TestFolder.make()
        defer { folder.remove() }
        let file = FilePath(try folder.write("x", "cache"))
        #expect(throws: Errno.notDirectory) { try DownloadCache(at: file, size: .mebibytes(64)) }
    }

    private func key(_ fixture: CacheFixture) throws -> CacheKey {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/x", headers: ["Accept": "*/*"])
        let target = ProxyTarget(host: try HostName("good.example"), port: fixture.port)
        return try #require(CacheKey(target, isSecure: true, head, path: "/x"))
    }
}

@Suite("How long an answer holds")
struct FreshnessTests {
    private static let date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")

    @Test(
        "seconds by what the host says",
        arguments: [
            ([("Cache-Control", "max-age=60")], 60), ([("Cache-Control", "max-age=60, s-maxage=5")], 5),
            ([("Cache-Control", "MAX-AGE=\"60\"")], 60),
            ([("Cache-Control", "max-age=99999999999999999999")], 315_360_000),
            ([("Cache-Control", "max-age=60"), ("Expires", "Sun, 06 Nov 1994 09:49:37 GMT"), date], 60),
            ([("Expires", "Sun, 06 Nov 1994 09:49:37 GMT"), date], 3_600),
            ([("Last-Modified", "Sun, 06 Nov 1994 07:49:37 GMT"), date], 360),
            ([("Last-Modified", "Sun, 06 Nov 1984 07:49:37 GMT"), date], 86_400),
            ([("Last-Modified", "Sun, 06 Nov 1995 07:49:37 GMT"), date], 0),
            ([("Last-Modified", "yesterday"), date], 0), ([("ETag", "\"1\"")], 0),
            ([("ETag", "\"1\""), ("Cache-Control", "no-cache, max-age=60")], 0),
            ([("ETag", "\"1\""), ("Expires", "0"), date], 0),
        ] as [([(String, String)], Int64)]
    )
    func lifetimes(fields: [(String, String)], lifetime: Int64) throws {
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: HTTPHeaders(fields))
        #expect(Freshness(of: head, at: 784_111_777)?.lifetime == lifetime)
    }

    @Test(
        "dates",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun Nov  6 08:49:37 1994", nil), ("0", nil), ("", nil),
            ("Sun, 32 Nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil),
            ("Sun, 06 Nov 1994 24:49:37 GMT", nil), ("Sun, +6 Nov 1994 08:49:37 GMT", nil),
        ] as [(String, Int64?)]
    )
    func dates(text: String, seconds: Int64?) { #expect(HTTPDate.seconds(text) == seconds) }

    @Test(
        "errors of the moment and parts are not kept",
        arguments: [201, 204, 206, 302, 307, 400, 403, 429, 500, 503]
    )
    func statuses(code: Int) {
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: code),
            headers: ["Cache-Control": "max-age=60"]
        )
        #expect(Freshness(of: head, at: 784_111_777) == nil)
    }
}
