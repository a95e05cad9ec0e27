// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockStore
import SystemPackage
import Testing

@testable import DrydockServer

@Suite("Journals as they are stored", .timeLimit(.minutes(1)))
struct StoredJournalTests {
    private static let gzip = ["Accept-Encoding": "deflate, gzip, br"]

    /// A build with so many lines that has ended.
    private static func ended(_ server: RunningServer, lines: Int = 3_000) async throws -> (Build, AttemptID)
    {
        let build = try await server.enqueue("s")
        let work = try await server.begin()
        try work.log((1...lines).map { "line \($0) of \(lines), which is not long" })
        try await work.finish()
        return (build, work.lease.attempt)
    }

    @Test(
        "who takes gzip gets a sealed journal as it is stored; unpacked, it is what others get, byte for byte"
    )
    func gzip() async throws {
        try await withServer { server in
            let (build, attempt) = try await Self.ended(server)
            let target = "/api/v1/builds/\(build.id)/events"
            let plain = try await server.request("GET", target)
            let early = try await server.request("GET", target, headers: Self.gzip)
            #expect(early.headers["content-encoding"] == nil && early.body == plain.body, "not sealed yet")
            #expect(try await server.store.sealJournals(atMost: .gibibytes(1)).journals == 1)

            let stored = try await server.request("GET", target, headers: Self.gzip)
            #expect(stored.status == 200 && stored.headers["content-encoding"] == "gzip")
            #expect(stored.headers["content-length"] == "\(stored.body.count)")
            #expect(stored.headers["vary"] == "accept-encoding")
            #expect(stored.body.count * 3 < plain.body.count)
            #expect(try Self.unpacked(stored.body, room: plain.body.count + 1) == plain.body)
            let head = try await server.request("HEAD", target, headers: Self.gzip)
            #expect(head.headers["content-length"] == "\(stored.body.count)" && head.body.isEmpty)

            #expect(try await server.request("GET", target).body == plain.body)
            let after = try await server.request("GET", target + "?after=\(attempt):3000", headers: Self.gzip)
            #expect(after.headers["content-encoding"] == nil)
            #expect(after.text.split(separator: "\n").count == 2)
            let events = Self.gzip.merging(["Accept": "text/event-stream"]) { $1 }
            let stream = try await server.request("GET", target, headers: events)
            #expect(stream.headers["content-encoding"] == nil && stream.text.hasPrefix("id: "))
        }
    }

    @Test("all attempts of a build are one gzip member")
    func attempts() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let first = try await server.begin()
            try first.log(["given up"])
            try first.journal.close()
            try await server.store.move(first.lease, to: .queued)
            let second = try await server.begin()
            try second.log(["again"])
            try await second.finish()
            let target = "/api/v1/builds/\(build.id)/events"
            let plain = try await server.request("GET", target)
            #expect(try await server.store.sealJournals(atMost: .gibibytes(1)).journals == 2)
            let stored = try await server.request("GET", target, headers: Self.gzip)
            #expect(stored.headers["content-encoding"] == "gzip")
            #expect(try Self.unpacked(stored.body, room: 1 << 20) == plain.body)
            #expect(plain.text.contains("given up") && plain.text.contains("again"))
        }
    }

    @Test("profile 1 goes on from a position inside a sealed journal")
    func resumed() async throws {
        try await withServer { server in
            let (build, attempt) = try await Self.ended(server)
            _ = try await server.store.sealJournals(atMost: .gibibytes(1))
            let place = #""builds":{"\#(build.id)":{"epoch":"\#(attempt)","seq":2990}}"#
            try await server.follow("s", place) { client in
                let rest = try await client.toTheEnd()
                #expect(rest.records.numbers == Array(2_991...3_002))
                #expect(!rest.types.contains("build_snapshot"))
            }
        }
    }

    @Test("ranges of lines, as text and as records, from a plain journal and a sealed one")
    func ranges() async throws {
        try await withServer { server in
            let (build, _) = try await Self.ended(server)
            let target = "/api/v1/builds/\(build.id)/logs"
            func line(_ number: Int) -> String { "line \(number) of 3000, which is not long\n" }
            for isSealed in [false, true] {
                if isSealed { _ = try await server.store.sealJournals(atMost: .gibibytes(1)) }
                let middle = try await server.request("GET", target + "?lines=1000-1999")
                #expect(middle.text == (1_000...1_999).map(line).joined())
                #expect(middle.headers["x-drydock-lines"] == (isSealed ? "3000" : nil))
                #expect(try await server.request("GET", target + "?lines=1-1").text == line(1))
                #expect(try await server.request("GET", target + "?lines=3000-").text == line(3_000))
                #expect(try await server.request("GET", target + "?lines=3001-").text == "")
                #expect(try await server.request("GET", target + "?tail=2").text == line(2_999) + line(3_000))
                let records = try await server.request("GET", target + "?tail=1&format=ndjson")
                #expect(records.text.hasPrefix(#"{"seq":3001,"#) && records.text.hasSuffix("\"}\n"))
            }
        }
    }

    @Test(
        "a range that is none gets a clear refusal",
        arguments: [
            "lines=", "lines=5", "lines=0-5", "lines=5-4", "lines=-5", "lines=a-b", "lines=1-2-3",
            "lines=+1-2",
            "lines=1-99999999999999999999", "tail=0", "tail=-1", "tail=x", "tail=1&lines=1-2",
            "tail=1&step=main", "lines=1-2&from=3",
        ]
    )
    func refused(_ query: String) async throws {
        try await withServer { server in
            let (build, _) = try await Self.ended(server, lines: 3)
            let answer = try await server.request("GET", "/api/v1/builds/\(build.id)/logs?\(query)")
            #expect(answer.status == 400 && answer.json?["code"]?.string == "filter_invalid")
            #expect(answer.json?["detail"]?.string?.isEmpty == false)
        }
    }

    @Test(
        "what a client unpacks",
        arguments: [
            ("", false), ("gzip", true), ("GZip;q=0.5", true), ("gzip;q=0", false), ("gzip; q=0.000", false),
            ("br", false), ("*", true), ("*;q=0", false), ("*;q=0, gzip", true), ("gzip;q=0, *", false),
            ("identity, x-gzip", true), ("gzipped", false),
        ]
    )
    func accepted(_ field: String, _ takesGzip: Bool) {
        #expect(AcceptedEncodings(field).takesGzip == takesGzip)
    }

    private static func unpacked(_ bytes: [UInt8], room: Int) throws -> [UInt8] {
        guard var inflater = Inflater(.gzip) else { throw Errno.notFound }
        var unpacked = [UInt8](repeating: 0, count: room)
        let step = bytes.withUnsafeBytes { input in
            unpacked.withUnsafeMutableBytes { inflater.inflate(input, into: $0) }
        }
        guard case .end = step.outcome else {
            Issue.record("no whole gzip member: \(step)")
            return []
        }
        #expect(step.consumed == bytes.count)
        return Array(unpacked[..<step.produced])
    }
}
