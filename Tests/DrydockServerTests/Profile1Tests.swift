// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import FoundationEssentials
import Testing

@testable import DrydockServer

@Suite("Wire profile 1 against a running server", .timeLimit(.minutes(1)))
struct Profile1Tests {
    private static func lines(_ range: Range<Int>) -> [String] { range.map { "line \($0)" } }

    @Test("who is there before a build is told every record of it, and its end with all that is known")
    func wholeBuild() async throws {
        try await withServer { server in
            try await server.follow("s") { client in
                let build = try await server.enqueue("s")
                let work = try await server.begin()
                for start in stride(from: 0, to: 100, by: 25) { try work.log(Self.lines(start..<start + 25)) }
                let failure = Failure(.stepFailed, .user, "step main exited with 3")
                try await work.finish(Outcome(failure))
                let seen = try await client.toTheEnd()
                #expect(seen.types.first == "BUILD_STARTED")
                #expect(seen.first?["data"]?["build_id"]?.string == build.id.rawValue)
                #expect(seen.records.texts == Self.lines(0..<100))
                #expect(seen.records.numbers == Array(1...102))
                let end = seen.last?["data"]
                #expect(seen.last?["type"]?.string == "build_error")
                #expect(end?["status"]?.string == "error")
                #expect(end?["error"]?.string == "Build failed: step main exited with 3")
                #expect(end?["outcome"]?.string == "failed" && end?["code"]?.string == "step_failed")
                #expect(end?["fault"]?.string == "user" && end?["seq"]?.integer == 102)
                #expect(end?["diagnosis"]?["message"]?.string == "step main exited with 3")
                for message in seen {
                    #expect(
                        message.object.map { Set($0.keys) } == [
                            "id", "type", "data", "timestamp", "session_id",
                        ]
                    )
                }
            }
        }
    }

    @Test("who comes in the middle is shown how things are, and told what follows")
    func snapshot() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            let step = StepID(rawValue: "main")
            let stage = StageChange(stage: StageID(rawValue: "deps"), op: .start, title: "Installing")
            try work.journal.append(
                [.step(StepChange(state: .running, title: "Main")), .stage(stage)],
                via: .host,
                step: step
            )
            try work.append(.estimate(Estimate(percent: 40, remaining: 3...9, isOverdue: false)))
            try work.log(Self.lines(0..<30))
            try await server.follow("s") { client in
                let greeting = try await client.messages(until: "build_snapshot")
                #expect(greeting.types == ["BUILD_STARTED", "build_snapshot"])
                let state = greeting.last?["data"]
                #expect(state?["build_id"]?.string == build.id.rawValue)
                #expect(state?["seq"]?.integer == 34 && state?["state"]?.string == "running")
                #expect(state?["percent"]?.integer == 40 && state?["eta"]?["most_s"]?.integer == 9)
                #expect(state?["stage"]?["title"]?.string == "Installing")
                #expect(state?["steps"]?.array?.count == 1 && state?["stages"]?.array?.count == 1)
                #expect(state?["logs"]?.array?.compactMap(\.string) == Self.lines(10..<30))
                try work.log(Self.lines(30..<35))
                try await work.finish()
                let rest = try await client.toTheEnd()
                #expect(rest.records.numbers == Array(35...40))
                #expect(rest.last?["data"]?["status"]?.string == "success")
            }
        }
    }

    @Test(
        "who comes back is told exactly what follows on its place, while it goes on and when it has ended",
        arguments: [1, 17, 399, 400, 401]
    )
    func resume(seq: Int) async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(Self.lines(0..<200))
            let place =
                #""builds":{"\#(build.id)":{"epoch":"\#(work.lease.attempt)","seq":\#(min(seq, 200))}}"#
            try await server.follow("s", place) { client in
                let first = try await client.messages(until: "build_event")
                #expect(first.records.numbers.first == min(seq, 200) + 1)
                try work.log(Self.lines(200..<400))
                try await work.finish()
                let all = first + (try await client.toTheEnd())
                #expect(all.records.numbers == Array(min(seq, 200) + 1...402))
                #expect(!all.types.contains("BUILD_STARTED") && !all.types.contains("build_snapshot"))
            }
            let later = #""builds":{"\#(build.id)":{"epoch":"\#(work.lease.attempt)","seq":\#(seq)}}"#
            try await server.follow("s", later) { client in
                let rest = try await client.toTheEnd()
                #expect(rest.records.numbers == Array(seq + 1...402))
            }
        }
    }

    @Test(
        "a build is told from its first record where that is asked for, and all that came while one was away"
    )
    func fromTheStart() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(Self.lines(0..<200))
            try await server.follow("s", #""from":"start""#) { client in
                let seen = try await client.messages(until: "build_event")
                #expect(seen.types == ["BUILD_STARTED", "build_event"] && seen.records.numbers.first == 1)
            }
            try await work.finish()
            let last =
                #""builds":{"\#(build.id)":{"epoch":"\#(work.lease.attempt)","seq":202}},"since":"\#(build.id)""#
            let missed = try await server.enqueue("s")
            let other = try await server.begin()
            try other.log(["missed"])
            try await other.finish()
            try await server.follow("s", last) { client in
                var seen: [JSON] = []
                // Both ends: the one that is known is told again.
                for _ in 0..<2 { seen += try await client.toTheEnd() }
                #expect(seen.records(of: build.id).isEmpty)
                #expect(seen.records(of: missed.id).texts == ["missed"])
                #expect(seen.records(of: missed.id).numbers == [1, 2, 3])
            }
        }
    }

    @Test("a place that was named is kept, whatever the build does while the others are looked for")
    func keptPlace() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(Self.lines(0..<50))
            let others = (0..<99).map { #""b_\#($0)":{"seq":0}"# }.joined(separator: ",")
            let place = #""\#(build.id)":{"epoch":"\#(work.lease.attempt)","seq":20}"#
            try await server.follow("s", #""builds":{\#(others),\#(place)}"#) { client in
                try await work.finish()
                let seen = try await client.toTheEnd()
                #expect(seen.records.numbers == Array(21...52))
                #expect(!seen.types.contains("BUILD_STARTED"))
            }
        }
    }

    @Test("a build whose journal can not be read ends, and keeps nobody from the others")
    func unreadable() async throws {
        try await withServer { server in
            var places: [String] = []
            for number in 0..<2 {
                let build = try await server.enqueue("s")
                let work = try await server.begin()
                try await work.finish()
                places.append(#""\#(build.id)":{"epoch":"\#(work.lease.attempt)","seq":1}"#)
                guard number == 0 else { continue }
                let segment = server.store.directory.segment(build.id, work.lease.attempt).string
                try FileManager.default.removeItem(atPath: segment)
                try FileManager.default.createSymbolicLink(atPath: segment, withDestinationPath: "/nowhere")
            }
            try await server.follow("s", #""builds":{\#(places.joined(separator: ","))}"#) { client in
                var seen: [JSON] = []
                for _ in 0..<2 { seen += try await client.toTheEnd() }
                #expect(seen.types.contains("gap") && seen.records.numbers == [2])
            }
        }
    }

    @Test("a place that is none is told as a gap, with how things are instead")
    func lost() async throws {
        try await withServer { server in
            let build = try await server.enqueue("s")
            let work = try await server.begin()
            try work.log(Self.lines(0..<5))
            for place in [#"{"epoch":"a_none","seq":3}"#, #"{"epoch":"\#(work.lease.attempt)","seq":77}"#] {
                try await server.follow("s", #""builds":{"\#(build.id)":\#(place)}"#) { client in
                    let seen = try await client.messages(until: "build_snapshot")
                    #expect(seen.types == ["gap", "build_snapshot"])
                    #expect(seen[0]["data"]?["to"]?["seq"]?.integer == 6)
                    #expect(seen[0]["data"]?["from"]?["seq"]?.integer != nil)
                }
            }
            try await server.follow("other", #""builds":{"\#(build.id)":{"seq":0}}"#) { client in
                let refusal = try await client.message()
                #expect(refusal["type"]?.string == "error")
                #expect(refusal["data"]?["code"]?.string == "build_unknown")
            }
            try await work.finish()
        }
    }

    @Test("builds of a session are told side by side, those that wait with their place")
    func several() async throws {
        try await withServer { server in
            try await server.follow("s") { client in
                let first = try await server.enqueue("s")
                let second = try await server.enqueue("s")
                let work = try await server.begin()
                var seen = try await client.messages(until: "build_progress")
                func waits(_ message: JSON?) -> Bool {
                    message?["data"]?["build_id"]?.string == second.id.rawValue
                        && message?["data"]?["position"] != nil
                }
                while !waits(seen.last) { seen += try await client.messages(until: "build_progress") }
                try work.log(["of the first"])
                try await work.finish()
                seen += try await client.toTheEnd()
                let other = try await server.begin()
                try other.log(["of the second"])
                try await other.finish()
                seen += try await client.toTheEnd()
                #expect(seen.types.filter { $0 == "BUILD_STARTED" }.count == 2)
                #expect(seen.records(of: first.id).texts == ["of the first"])
                #expect(seen.records(of: second.id).texts == ["of the second"])
            }
        }
    }

    @Test("an attempt that is tried again is told with both journals, and one end")
    func attempts() async throws {
        try await withServer { server in
            try await server.follow("s") { client in
                _ = try await server.enqueue("s")
                let work = try await server.begin()
                try work.log(["first try"])
                let lost = Outcome(Failure(.internal, .platform, "lost"))
                try work.append(.finished(Finished(outcome: lost, duration: .seconds(1))))
                try work.journal.close()
                try await server.store.move(work.lease, to: .queued)
                let again = try await server.begin()
                try again.log(["second try"])
                try await again.finish()
                let seen = try await client.toTheEnd()
                #expect(seen.types.last == "build_completed")
                #expect(seen.records.texts == ["first try", "second try"])
                #expect(seen.types.filter { $0 == "BUILD_STARTED" }.count == 1)
            }
        }
    }

    @Test("one that does not read lags and is told everything in the end; its neighbour has long seen it")
    func slow() async throws {
        try await withServer { server in
            try await server.follow("s", room: 4 << 10) { slow in
                try await server.follow("s") { quick in
                    _ = try await server.enqueue("s")
                    let work = try await server.begin()
                    // More than the kernel and the connection hold together.
                    let text = String(repeating: "x", count: 16 << 10)
                    for number in 0..<100 { try work.log((0..<5).map { "\(number) \($0) \(text)" }) }
                    try await work.finish()
                    let seen = try await quick.toTheEnd()
                    #expect(seen.records.numbers == Array(1...502))
                    let late = try await slow.toTheEnd()
                    #expect(late.records.numbers == Array(1...502))
                    #expect(late.records.texts == seen.records.texts)
                }
            }
        }
    }
}
