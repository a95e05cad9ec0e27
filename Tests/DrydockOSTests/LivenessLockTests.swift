// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Glibc
import SystemPackage
import Testing

@testable import DrydockOS

@Suite("Locks that show life", .timeLimit(.minutes(1)))
struct LivenessLockTests {
    private func withPath(_ body: (FilePath) throws -> Void) throws {
        let path = FilePath(FileManager.default.temporaryDirectory.path).appending("drydock-lock-\(UUID())")
        defer { unlink(path.string) }
        try body(path)
    }

    @Test("one holds it, others see who and whether it works, and it is free when nobody keeps it")
    func held() throws {
        try withPath { path in
            #expect(try LivenessLock.status(of: path) == .free)
            do {
                let me = try ProcessIdentity.current()
                let lock = try #require(try LivenessLock.take(path, note: "a note"))
                #expect(try LivenessLock.take(path) == nil)
                guard case .held(let first?) = try LivenessLock.status(of: path) else {
                    Issue.record("not held")
                    return
                }
                #expect(first.note == "a note" && first.process == me)
                lock.beat()
                guard case .held(let second?) = try LivenessLock.status(of: path) else {
                    Issue.record("not held")
                    return
                }
                #expect(second.beats > first.beats && second.process == first.process)
            }
            #expect(try LivenessLock.status(of: path) == .free)
            #expect(LivenessLock.lastHolder(of: path)?.note == "a note")
        }
    }

    @Test("what somebody else wrote into the file is no holder")
    func garbage() throws {
        try withPath { path in
            for text in ["", "x", "1\n2\n3\n", "00000000000000000001\n-1 2 boot\n\n", "\0\0\0"] {
                try Data(text.utf8).write(to: URL(filePath: path.string))
                #expect(LivenessLock.lastHolder(of: path) == nil)
            }
        }
    }

    @Test("a signal reaches the process that is meant, and not the next one with its number")
    func identity() throws {
        let me = try ProcessIdentity.current()
        #expect(me.isAlive && me.isOfThisBoot)
        let other = try #require(ProcessIdentity(text: "\(me.number) \(me.started + 1) \(me.boot)"))
        #expect(!other.isAlive)
        #expect(try other.signal(SIGKILL) == false)
        let earlier = try #require(ProcessIdentity(text: "\(me.number) \(me.started) another-boot"))
        #expect(try !earlier.isOfThisBoot && earlier.signal(SIGKILL) == false)
        #expect(try me.signal(0))
    }
}
