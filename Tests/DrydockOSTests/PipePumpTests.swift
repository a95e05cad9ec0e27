// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import Synchronization
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PipePumpTests {
    @Test("every byte arrives in order, and the pump ends when the writer closes")
    func deliversAll() async throws {
        let collected = Collected()
        let (pump, write) = try startPump(collected)
        let sent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try SystemThread.start(name: "writer") { [write] in
            _ = try? write.writeAll(sent)  // the comparison below shows what is missing
            try? write.close()
        }
        await pump.finished()
        #expect(collected.all == sent)
    }

    @Test("stop hands over what is there and ends although the writer still holds the pipe")
    func stopDrains() async throws {
        let collected = Collected()
        let (pump, write) = try startPump(collected)
        defer { try? write.close() }
        try write.writeAll(Array("last words".utf8))
        pump.stop()
        await pump.finished()
        #expect(collected.all == Array("last words".utf8))
    }

    @Test("stop hands over all that a pipe holds, however slowly it is taken")
    func stopLosesNothing() async throws {
        let collected = Collected()
        let gate = Gate()
        let (pump, write) = try Pipe().split { read, write in
            let pump = try PipePump.start(read, name: "test") { bytes in
                // Slow as a decoder under load: the pump is stopped long before the last byte was looked at.
                gate.wait()
                collected.add(bytes)
            }
            return (pump, write.release())
        }
        try write.writeAll(Array("first".utf8))
        let rest = [UInt8](repeating: 0x0A, count: 60_000)
        try write.writeAll(rest)
        try write.close()
        pump.stop()
        gate.open()
        await pump.finished()
        #expect(collected.all.count == 60_005)
    }

    @Test("stop ends although the writer never stops writing")
    func stopIsBounded() async throws {
        let (pump, write) = try startPump(Collected())
        let flood = try ChildProcess.spawn(
            "/usr/bin/yes",
            arguments: ["yes"],
            environment: [],
            inherited: [.init(write, as: 1)]
        )
        defer {
            try? flood.signal(9)  // it may have ended by the closed pipe
            _ = try? flood.waitBlocking()
        }
        try write.close()
        // Without a bound this would go on until the time limit: the flood never ends by itself.
        pump.stop()
        await pump.finished()
    }

    @Test("finished returns at once when the pump has ended before")
    func finishedTwice() async throws {
        let (pump, write) = try startPump(Collected())
        try write.close()
        await pump.finished()
        await pump.finished()
        pump.stop()
    }

    private func startPump(_ collected: Collected) throws -> (PipePump, FileDescriptor) {
        try Pipe().split { read, write in
            let pump = try PipePump.start(read, name: "test") { bytes in collected.add(bytes) }
            return (pump, write.release())
        }
    }
}

/// Holds a thread up until it is opened.
private final class Gate: Sendable {
    private let isOpen = Mutex(false)

    func open() { isOpen.withLock { $0 = true } }

    func wait() { while !isOpen.withLock({ $0 }) { usleep(1_000) } }
}
