// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test("the exit code is the program's", arguments: [0, 1, 127, 255])
    func exitCode(code: Int) throws {
        let child = try shell("exit \(code)")
        #expect(try child.waitBlocking().status == .exited(code))
    }

    @Test("a signal is told as a signal")
    func signalled() throws {
        let pipe = try Pipe()
        let child = try pipe.read.withDescriptor { read in
            try shell("read line", inherited: [.init(read, as: 0)])
        }
        try child.signal(9)
        #expect(try child.waitBlocking().status == .signalled(9))
        #expect(throws: Errno.noChildProcess) { try child.waitBlocking() }
    }

    @Test("a wait that is bounded tells whether the child ended, and its whole group can be killed")
    func bounded() throws {
        let pipe = try Pipe()
        let child = try pipe.read.withDescriptor { read in
            try shell("sh -c 'read line'; true", inherited: [.init(read, as: 0)])
        }
        #expect(try !child.ends(within: .milliseconds(20)))
        child.killGroup()
        #expect(try child.ends(within: .seconds(30)))
        #expect(try child.waitBlocking().status == .signalled(9))
    }

    @Test("a program that is not there is an error, not a child")
    func notThere() {
        #expect(throws: Errno.noSuchFileOrDirectory) {
            _ = try ChildProcess.spawn("/nowhere/at/all", arguments: ["x"], environment: [], inherited: [])
        }
    }

    @Test("the child has the descriptors named, under the numbers named, and no other")
    func descriptors() async throws {
        let text = try await output { write in
            // 1 and 2 swap their places with each other's sources; nothing may be lost on the way.
            try ChildProcess.spawn(
                "/bin/sh",
                // Nothing but the shell's own words: a pipe or a directory that it opens would be a descriptor too.
                arguments: [
                    "sh", "-c",
                    "for n in 0 1 2 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$n ] || printf '%s ' $n; done",
                ],
                environment: ["PATH=/usr/bin:/bin"],
                inherited: [.init(write, as: 1), .init(write, as: 0), .init(write, as: 2)]
            )
        }
        #expect(text == "0 1 2 ")
    }

    @Test("the environment is exactly the one given")
    func environment() async throws {
        let text = try await output { write in
            try ChildProcess.spawn(
                "/usr/bin/env",
                arguments: ["env"],
                environment: ["A=1", "B=two words"],
                inherited: [.init(write, as: 1)]
            )
        }
        #expect(text == "A=1\nB=two words\n")
    }

    private func shell(_ script: String, inherited: [ChildProcess.Inheritance] = []) throws -> ChildProcess {
        try ChildProcess.spawn(
            "/bin/sh",
            arguments: ["sh", "-c", script],
            environment: [],
            inherited: inherited
        )
    }

    private func output(_ spawn: (FileDescriptor) throws -> ChildProcess) async throws -> String {
        let collected = Collected()
        let (pump, write) = try Pipe().split { read, write in
            (
                try PipePump.start(read, name: "test") { bytes in collected.add(bytes) },
                write.release()
            )
        }
        let child = try spawn(write)
        try write.close()
        await pump.finished()
        #expect(try child.waitBlocking().status == .exited(0))
        return collected.text
    }
}
