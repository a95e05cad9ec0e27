// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockServer

@Suite("/ws against a running server", .timeLimit(.minutes(1)))
struct WebSocketContractTests {
    private static let terminal = ["build_completed", "build_error"]

    @Test("every connection of a session gets the same messages, with the whole log")
    func wholeBuild() async throws {
        try await withServer { server in
            try await server.watch("s") { first in
                try await server.watch("s", as: "USER") { second in
                    let build = try await server.enqueue("s")
                    let work = try await server.begin()
                    for start in stride(from: 0, to: 100, by: 25) {
                        try work.log((start..<start + 25).map { "line \($0)" })
                    }
                    try await work.finish()
                    let seen = try await first.messages(until: "build_completed", "build_error")
                    let other = try await second.messages(until: "build_completed", "build_error")
                    #expect(seen == other, "the same bytes, ids and times included")
                    #expect(seen.types.first == "BUILD_STARTED" && seen.types.last == "build_completed")
                    #expect(seen.first?["data"]?["build_id"]?.string == build.id.rawValue)
                    #expect(seen.lines == (0..<100).map { "line \($0)" })
                    #expect(seen.last?["data"]?["build_time"]?.number == 1.5)
                    for message in seen {
                        let keys = message.object.map { Set($0.keys) }
                        #expect(keys == ["id", "type", "data", "timestamp", "session_id"])
                    }
                }
            }
        }
    }

    @Test("a connection stays for the next build, and another session sees nothing of either")
    func nextBuild() async throws {
        try await withServer { server in
            try await server.watch("other") { other in
                try await server.watch("s") { client in
                    for outcome in [
                        Outcome.succeeded, Outcome(Failure(.stepFailed, .user, "step main exited with 3")),
                    ] {
                        _ = try await server.enqueue("s")
                        try await server.begin().finish(outcome)
                        let seen = try await client.messages(until: "build_completed", "build_error")
                        #expect(seen.types.first == "BUILD_STARTED")
                        #expect(seen.types.filter { Self.terminal.contains($0) }.count == 1)
                        guard outcome != .succeeded else { continue }
                        #expect(
                            seen.last?["data"]?["error"]?.string == "Build failed: step main exited with 3"
                        )
                    }
                }
                try await other.say(#"{"type":"PING"}"#)
                #expect(try await other.messages(until: "PONG").types == ["PONG"])
            }
        }
    }

    @Test("who joins in the middle gets the start and one progress, who joins after the end the last word")
    func joiners() async throws {
        try await withServer { server in
            try await server.watch("s") { first in
                _ = try await server.enqueue("s")
                let work = try await server.begin()
                try work.log((0..<30).map { "line \($0)" })
                while try await first.message()["data"]?["message"]?.string != "line 29" {}
                try await server.watch("s") { middle in
                    let start = try await middle.message()
                    let progress = try await middle.message()
                    #expect([start, progress].types == ["BUILD_STARTED", "build_progress"])
                    #expect(progress["data"]?["logs"]?.array?.count == 20)
                    try await work.finish()
                    #expect(try await middle.message()["type"]?.string == "build_completed")
                }
                try await server.watch("s") { late in
                    let last = try await late.message()
                    #expect(last["type"]?.string == "build_completed")
                }
            }
        }
    }

    @Test("a session nobody watched is told from the store: running and ended")
    func coldJoin() async throws {
        try await withServer { server in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(["one"])
            try await server.watch("s") { client in
                let seen = [try await client.message(), try await client.message()]
                #expect(seen.types == ["BUILD_STARTED", "build_progress"] && seen.lines == ["one"])
            }
            _ = try await server.enqueue("t")
            try await server.begin().finish()
            try await server.watch("t") { client in
                let last = try await client.message()
                #expect(last["type"]?.string == "build_completed")
            }
            try await work.finish()
        }
    }

    @Test("a waiting build is told at once, and cancelled by its viewer")
    func waiting() async throws {
        try await withServer { server in
            try await server.watch("s") { client in
                _ = try await server.enqueue("s")
                let seen = [try await client.message(), try await client.message()]
                #expect(seen.types == ["BUILD_STARTED", "build_progress"])
                try await client.say(#"{"type":"CANCEL"}"#)
                let end = try await client.messages(until: "build_error")
                #expect(end.last?["data"]?["error"]?.string?.hasPrefix("Build cancelled") == true)
            }
        }
    }

    @Test("who came while the build waited, or is brought up to date, hears of its start once")
    func oneStart() async throws {
        try await withServer { server in
            _ = try await server.enqueue("s")
            try await server.watch("s") { first in
                _ = try await first.messages(until: "build_progress")
                let work = try await server.begin()
                try work.log((0..<3_000).map { "line \($0)" })
                try await withThrowingTaskGroup(of: [JSON].self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            try await server.watch("s") { try await $0.messages(until: "build_completed") }
                        }
                    }
                    // All of them have registered once nobody is missing from the room.
                    while try await !server.request("GET", "/metrics").text.contains("connections 21\n") {}
                    try await work.finish()
                    for try await messages in group {
                        #expect(messages.types.count { $0 == "BUILD_STARTED" } <= 1, "\(messages.types)")
                    }
                }
                let rest = try await first.messages(until: "build_completed")
                #expect(!rest.types.contains("BUILD_STARTED") && rest.lines.count == 3_000)
            }
        }
    }

    @Test("a long journal is joined by its end, with a whole window of lines")
    func longJoin() async throws {
        try await withServer { server in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            for start in stride(from: 0, to: 20_000, by: 1_000) {
                try work.log((start..<start + 1_000).map { "line \($0)" })
            }
            // The last 64 KiB hold no line at all: more has to be read.
            for _ in 0..<900 {
                try work.append(
                    .diag(Diagnostic(severity: .note, message: String(repeating: "x", count: 100)))
                )
            }
            // The beginning is not read by who joins: nobody notices that it is damaged, but who asks for it.
            try work.damageStart()
            let (shown, tell) = AsyncStream<Void>.makeStream()
            try await withThrowingTaskGroup(of: [JSON].self) { group in
                for number in 0..<20 {
                    group.addTask {
                        // One after the other, so that some of them come while the journal is read for the first.
                        try await Task.sleep(for: .milliseconds(10 * number))
                        return try await server.watch("s") { viewer in
                            let first = try await viewer.messages(until: "build_progress")
                            tell.yield()
                            return try await first + viewer.messages(until: "build_completed")
                        }
                    }
                }
                for _ in 0..<20 { for await _ in shown { break } }
                try await work.finish()
                for try await messages in group {
                    // Each of them once: nothing is told before all that is read is.
                    #expect(messages.types == ["BUILD_STARTED", "build_progress", "build_completed"])
                    #expect(messages.lines == (19_980..<20_000).map { "line \($0)" })
                }
            }
            #expect(server.damage.all.isEmpty)
            _ = try await server.request("GET", "/api/v1/builds/\(work.lease.build.id)/logs")
            #expect(server.damage.all.count == 1)
        }
    }

    @Test("a viewer that pauses again and again lags, and gets every line and the end")
    func pausing() async throws {
        try await withServer { server in
            _ = try await server.enqueue("s")
            let work = try await server.begin()
            try await server.watch("s") { client in
                _ = try await client.messages(until: "build_progress")
                let wide = String(repeating: "x", count: 2_000)
                let count = 5_000
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for start in stride(from: 0, to: count, by: 50) {
                            try work.log((start..<start + 50).map { "\($0) \(wide)" })
                        }
                        try await work.finish()
                    }
                    let messages = try await client.messages(until: "build_completed")
                    let isWhole =
                        messages.lines.map { $0.split(separator: " ")[0] } == (0..<count).map { "\($0)" }
                    #expect(isWhole)
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("a client can not cancel another session's build")
    func foreignCancel() async throws {
        try await withServer { server in
            let build = try await server.enqueue("victim")
            try await server.watch("s") { client in
                try await client.say(#"{"type":"CANCEL","build_id":"\#(build.id)"}"#)
                let answer = try await client.message()
                #expect(answer["type"]?.string == "error" && answer["data"]?["code"]?.string == "not_found")
            }
            #expect(try await server.store.build(build.id)?.state == .queued)
        }
    }

    @Test("malformed clients disturb nobody else")
    func malformed() async throws {
        try await withServer { server in
            try await server.watch("s") { good in
                try await server.watch("s") { bad in
                    for text in ["this is not JSON", "[]", #"{"type":"NOPE"}"#] {
                        try await bad.say(text)
                        #expect(try await bad.message()["type"]?.string == "error")
                    }
                    try await bad.send(clientFrame(0x82, [0, 0xFF]))
                    #expect(try await bad.message()["type"]?.string == "error")
                }
                for bytes in [clientFrame(0x81, [0xFF]), clientFrame(0x81, [1], masked: false)] {
                    try await server.watch("s") { bad in
                        try await bad.send(bytes)
                        #expect(try await bad.frame().opcode == 0x8)
                        try await bad.end()
                    }
                }
                _ = try await server.enqueue("s")
                try await server.begin().finish()
                #expect(try await good.messages(until: "build_completed").types.first == "BUILD_STARTED")
            }
        }
    }

    @Test("an oversized frame is refused before it is read")
    func oversized() async throws {
        try await withServer { server in
            try await server.connect { client in
                try await client.upgrade()
                try await client.send([0x81, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0])
                let frame = try await client.frame()
                #expect(frame.opcode == 0x8 && frame.payload.prefix(2) == [0x03, 0xF1])
            }
        }
    }

    @Test("a silent peer is pinged, and let go when it does not answer")
    func heartbeat() async throws {
        try await withServer {
            $0.pingInterval = .milliseconds(100)
            $0.pongPatience = .seconds(2)
        } _: { server in
            try await server.connect { client in
                try await client.upgrade()
                #expect(try await client.frame().opcode == 0x9)
                try await client.send(clientFrame(0x8A, []))
                #expect(try await client.frame().opcode == 0x9)
                try await client.end()
            }
        }
    }
}
