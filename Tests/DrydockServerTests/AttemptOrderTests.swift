// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Testing

@testable import DrydockServer

@Suite("Attempts in their order", .timeLimit(.minutes(1)))
struct AttemptOrderTests {
    @Test(
        "places are ordered by attempt and number, whatever the ids say; attempts that are not known come last"
    )
    func order() {
        func place(_ attempt: String, _ seq: UInt64) -> Cursor {
            Cursor(attempt: AttemptID(rawValue: attempt), seq: seq)
        }
        let order = AttemptOrder([AttemptID(rawValue: "a_9"), AttemptID(rawValue: "a_5")])
        let places = [place("a_9", 0), place("a_9", 7), place("a_5", 1), place("a_5", 2), place("a_1", 0)]
        for (left, one) in places.enumerated() {
            for (right, other) in places.enumerated() {
                #expect(order.isBefore(one, other) == (left < right), "\(one) \(other)")
            }
        }
    }

    @Test("a clock that is set back between two attempts takes nothing from who comes back, or stays")
    func clockSetBack() async throws {
        let clock = ManualClock()
        try await withServer { _ in
        } storing: {
            $0.now = { clock.wall }
        } _: { server in
            let build = try await server.enqueue("s")
            let first = try await server.begin()
            try first.log(["a", "b"])
            try await server.follow("s", #""from":"start""#) { client in
                var seen = try await client.messages(until: "build_event")
                try first.journal.close()
                try await server.store.move(first.lease, to: .queued)
                clock.advanceWall(by: .seconds(-3_600))
                let second = try await server.begin()
                #expect(second.lease.attempt < first.lease.attempt)
                while seen.records.count(where: { $0["kind"]?.string == "started" }) < 2 {
                    seen.append(try await client.message())
                }
                let place = #""builds":{"\#(build.id)":{"epoch":"\#(first.lease.attempt)","seq":2}}"#
                let told = seen
                try await server.follow("s", place) { late in
                    _ = try await late.messages(until: "build_event")
                    try second.log(["c"])
                    try await second.finish()
                    let all = told + (try await client.toTheEnd())
                    #expect(all.records.texts == ["a", "b", "c"])
                }
                try await server.follow("s", place) { late in
                    let rest = try await late.toTheEnd()
                    #expect(rest.records.texts == ["b", "c"])
                    #expect(rest.records.numbers == [3, 1, 2, 3])
                }
            }
        }
    }
}
