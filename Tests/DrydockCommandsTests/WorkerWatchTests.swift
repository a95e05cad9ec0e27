// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Testing

@testable import DrydockCommands

@Suite("Watching the worker")
struct WorkerWatchTests {
    private let start = SuspendingClock.now

    private func holder(beats: UInt64) throws -> LivenessLock.Status {
        let process = try ProcessIdentity.current()
        return .held(LivenessLock.Holder(process: process, beats: beats, note: ""))
    }

    @Test("a count that stands still is noticed, and after 15 seconds means that the worker hangs")
    func hangs() throws {
        var watch = WorkerWatch()
        #expect(watch.health == .absent)
        for tenth in 0..<150 {
            let verdict = watch.look(at: try holder(beats: 7), start + .milliseconds(100 * tenth))
            #expect(verdict == .fine)
        }
        #expect(watch.health == .silent(.milliseconds(14_900)))
        #expect(watch.look(at: try holder(beats: 7), start + .seconds(15)) == .hangs)
    }

    @Test("a count that goes on, however slowly, is a worker that works")
    func works() throws {
        var watch = WorkerWatch()
        for second in 0..<100 {
            let status = try holder(beats: UInt64(second / 10))
            #expect(watch.look(at: status, start + .seconds(second)) == .fine)
        }
    }

    @Test("time in which the server itself did not run blames nobody")
    func stoppedServer() throws {
        var watch = WorkerWatch()
        _ = watch.look(at: try holder(beats: 7), start)
        #expect(watch.look(at: try holder(beats: 7), start + .seconds(3_600)) == .fine)
        #expect(watch.health == .works)
    }

    @Test("one that never comes as far as its lock hangs too")
    func neverCame() {
        var watch = WorkerWatch()
        var verdicts: [WorkerWatch.Verdict] = []
        for second in 0...15 { verdicts.append(watch.look(at: .free, start + .seconds(second))) }
        #expect(verdicts.last == .hangs && watch.health == .absent)
    }
}
