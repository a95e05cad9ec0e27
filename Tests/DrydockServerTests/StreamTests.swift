// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import FoundationEssentials
import Testing

@testable import DrydockServer

@Suite("Streams over HTTP", .timeLimit(.minutes(2)))
struct StreamTests {
    private static let sse = ["Accept": "text/event-stream"]

    @Test("a hundred logs at once, six times, while others watch and post: the server goes on")
    func manyAtOnce() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log((0..<100).map { "line \($0)" })
            for _ in 0..<6 {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<100 {
                        group.addTask {
                            try await server.request("GET", "/api/v1/builds/\(build.id)/logs").status
                        }
                    }
                    for try await status in group { #expect(status == 200) }
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        try await server.watch("v\(number)") { viewer in
                            let target = "/api/v1/builds?session_id=v\(number)"
                            let answer = try await server.request("POST", target, body: [0x1F, 0x8B, 8])
                            let first = try await viewer.message()
                            #expect(answer.status == 202 && first["type"]?.string == "BUILD_STARTED")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await server.request("GET", "/healthz").status == 200)
            try await work.finish()
        }
    }

    @Test("an EventSource that has everything is told not to come back, and one that waits hears a heartbeat")
    func eventSource() async throws {
        try await withServer {
            $0.streamHeartbeat = .milliseconds(50)
        } _: { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            let target = "/api/v1/builds/\(build.id)/events"
            try await server.connect { client in
                try await client.request("GET", target, headers: Self.sse)
                _ = try await client.head()
                var seen = String(decoding: try await client.chunk(), as: UTF8.self)
                #expect(seen.hasPrefix("id: "))
                seen = String(decoding: try await client.chunk(), as: UTF8.self)
                #expect(seen == ": \n\n")
                try await work.finish()
                while try await !client.chunk().isEmpty {}
            }
            let end = "\(work.lease.attempt):2"
            let again = try await server.request(
                "GET",
                target,
                headers: Self.sse.merging(["Last-Event-ID": end]) { $1 }
            )
            #expect(again.status == 204)
            let never = try await server.enqueue("s")
            _ = try await server.request("DELETE", "/api/v1/builds/\(never.id)")
            let none = try await server.request("GET", "/api/v1/builds/\(never.id)/events", headers: Self.sse)
            #expect(none.status == 204, "it never began")
            let lines = try await server.request("GET", target + "?after=\(end)")
            #expect(lines.status == 200 && lines.body.isEmpty)
            let beyond = try await server.request("GET", target + "?after=\(work.lease.attempt):9")
            #expect(beyond.status == 410 && beyond.json?["code"]?.string == "cursor_unknown")
        }
    }

    @Test(
        "lines show that they are alive where that is asked for, and go on after the place that a query names"
    )
    func heartbeat() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            let target = "/api/v1/builds/\(build.id)/events?last_event_id=\(work.lease.attempt):1&heartbeat="
            try await server.connect { client in
                try await client.request("GET", target + "1")
                #expect(try await client.head().status == 200)
                #expect(try await client.chunk() == [UInt8(ascii: "\n")])
                try await work.finish()
                let end = String(decoding: try await client.chunk(), as: UTF8.self)
                #expect(end.hasPrefix(#"{"seq":2,"#))
            }
            for wrong in ["0", "301", "often"] {
                let answer = try await server.request("GET", target + wrong)
                #expect(answer.status == 400 && answer.json?["code"]?.string == "query_invalid")
            }
        }
    }

    @Test("a follower hears its protocol's own end when the server stops, before its connection is closed")
    func shutdown() async throws {
        try await withServer {
            $0.shutdownPatience = .seconds(60)
        } _: { server in
            let build = try await server.enqueue("s")
            _ = try await server.begin()
            let waiting = try await server.enqueue("t")
            try await server.connect { client in
                try await client.request("GET", "/api/v1/builds/\(build.id)/events")
                _ = try await client.head()
                _ = try await client.chunk()
                try await server.connect { other in
                    try await other.request("GET", "/api/v1/builds/\(waiting.id)/events", headers: Self.sse)
                    _ = try await other.head()
                    server.shutDown()
                    #expect(try await client.chunk().isEmpty)
                    #expect(try await other.chunk().isEmpty)
                    try await other.end()
                }
                try await client.end()
            }
            await server.ended()
        }
    }

    @Test("what is asked for behind a stream of records is answered after it")
    func pipelined() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            let target = "/api/v1/builds/\(build.id)/events"
            try await server.connect { client in
                for next in [target, "/healthz"] { try await client.request("GET", next) }
                _ = try await client.head()
                _ = try await client.chunk()
                try await work.finish()
                while try await !client.chunk().isEmpty {}
                #expect(try await client.response().text == "ok\n")
            }
        }
    }

    @Test("who has said everything is told every record all the same")
    func halfClosed() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            try await server.connect { client in
                try await client.request("GET", "/api/v1/builds/\(build.id)/events")
                await client.endSending()
                _ = try await client.head()
                _ = try await client.chunk()
                try await work.finish()
                var rest: [UInt8] = []
                while case let piece = try await client.chunk(), !piece.isEmpty { rest += piece }
                #expect(String(decoding: rest, as: UTF8.self).contains(#""finished""#))
            }
        }
    }

    @Test("HEAD of a stream says nothing of a length")
    func heads() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            try await server.begin().finish()
            for part in ["events", "logs"] {
                let head = try await server.request("HEAD", "/api/v1/builds/\(build.id)/\(part)")
                #expect(head.status == 200 && head.headers["content-length"] == nil, "\(head)")
            }
        }
    }

    @Test("a log is read from a record on, and says where lines are missing")
    func logs() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(["one", "two", "three"])
            let target = "/api/v1/builds/\(build.id)/logs"
            #expect(try await server.request("GET", target + "?from=3").text == "two\nthree\n")
            #expect(try await server.request("GET", target + "?from=x").status == 400)
            try await work.finish()
            let path = server.store.directory.segment(build.id, work.lease.attempt).string
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let cut = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(3).joined(
                separator: "\n"
            )
            try (cut + "\n").write(toFile: path, atomically: false, encoding: .utf8)
            let damaged = try await server.request("GET", target)
            #expect(damaged.status == 200 && damaged.text.hasPrefix("one\ntwo\n… "), "\(damaged.text)")
            // The end still comes from the index.
            try await server.watch("s") { client in
                let last = try await client.message()
                #expect(last["type"]?.string == "build_completed")
            }
        }
    }

    @Test("sessions whose names only look the same hear nothing of each other")
    func sessionsByBytes() async throws {
        try await withServer { server in
            try await server.watch("caf\u{e9}") { composed in
                try await server.watch("cafe\u{301}") { decomposed in
                    _ = try await server.enqueue("caf\u{e9}", title: "composed")
                    _ = try await server.enqueue("cafe\u{301}", title: "decomposed")
                    for (client, name) in [(composed, "caf\u{e9}"), (decomposed, "cafe\u{301}")] {
                        let session = try await client.message()["session_id"]?.string ?? ""
                        #expect(session.utf8.elementsEqual(name.utf8))
                    }
                }
            }
        }
    }

    @Test("one row that does not decode ends nobody's stream, and the list shows it as damaged")
    func damagedRow() async throws {
        try await withServer { server in
            try await server.watch("good") { viewer in
                let damaged = try await server.enqueue("bad")
                try await server.store.damageRow(of: damaged.id)
                _ = try await server.enqueue("good")
                let list = try await server.request("GET", "/api/v1/builds")
                #expect(list.status == 200)
                let row = list.json?["builds"]?.array?.first { $0["id"]?.string == damaged.id.rawValue }
                #expect(row?["state"]?.string == "errored")
                try await server.begin().finish()
                #expect(try await viewer.messages(until: "build_completed").types.first == "BUILD_STARTED")
            }
        }
    }
}
