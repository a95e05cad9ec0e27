// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockSandbox
import FoundationEssentials
import Glibc
import SystemPackage
import Testing

extension SandboxTests {
    @Suite struct Processes {
        @Test("the exit code is the program's, 127 too", arguments: [0, 1, 64, 126, 127, 255])
        func exitCode(code: Int) async throws {
            let bench = try Bench()
            #expect(try await bench.shell("exit \(code)").report.verdict == .exit(code))
        }

        @Test("a signal is told as a signal", arguments: [6, 9, 11, 15])
        func signalled(signal: Int) async throws {
            let bench = try Bench()
            #expect(try await bench.shell("kill -\(signal) $$").report.verdict == .signalled(signal))
        }

        @Test(
            "a program that can not be executed is an error of its own",
            arguments: [("/nowhere", 2), ("no-such-program", 2), ("/etc/passwd", 13), ("/w", 13)]
        )
        func cannotExecute(program: String, errno: Int) async throws {
            let bench = try Bench()
            let spec = bench.spec([program])
            await #expect(throws: SandboxError.execFailed(program: program, errno: errno)) {
                try await bench.run(spec)
            }
        }

        @Test("a named pipe is no program, and nobody waits for its writer")
        func pipeAsProgram() async throws {
            let bench = try Bench()
            _ = try await bench.shell("mkfifo -m 755 /w/pipe")
            let spec = bench.spec(["/w/pipe"])
            await #expect(throws: SandboxError.execFailed(program: "/w/pipe", errno: 13)) {
                try await bench.run(spec)
            }
        }

        @Test("a named pipe of the host keeps its owner when it is a stream")
        func namedPipeAsStream() throws {
            let bench = try Bench()
            let pipe = bench.directory.appending("pipe").string
            let file = bench.directory.appending("spec")
            try Data(try bench.spec(["true"]).encoded()).write(to: URL(filePath: file.string))
            #expect(mkfifo(pipe, 0o600) == 0)
            let both = try FileDescriptor.open(FilePath(pipe), .readWrite, options: .closeOnExec)
            defer { try? both.close() }
            let child = try ChildProcess.spawn(
                try JailLocation.find(),
                arguments: ["drydock-jail", "--spec", file.string],
                environment: [],
                inherited: [.init(both, as: 0)]
            )
            #expect(try child.waitBlocking().status == .exited(0))
            var found = stat()
            #expect(stat(pipe, &found) == 0 && found.st_uid == geteuid())
        }

        @Test("a build goes before the server when the machine is short of memory")
        func expendable() async throws {
            let bench = try Bench()
            #expect(try await bench.shell("cat /proc/self/oom_score_adj").output == "500\n")
        }

        @Test("a script runs by its interpreter")
        func script() async throws {
            let bench = try Bench()
            let outcome = try await bench.shell(
                "printf '#!/bin/sh\\necho $1' > /w/s; chmod +x /w/s; /w/s hello"
            )
            #expect(outcome.output == "hello\n")
        }

        @Test("the environment is exactly the spec's")
        func environment() async throws {
            let bench = try Bench()
            var spec = bench.spec(["env"])
            spec.environment = ["PATH": "/usr/bin", "A": "1=2", "B": "two\nlines"]
            #expect(try await bench.run(spec).output == "A=1=2\nB=two\nlines\nPATH=/usr/bin\n")
        }

        @Test("arguments arrive as they are, 100 KiB of them")
        func arguments() async throws {
            let bench = try Bench()
            let words = (0..<1_600).map { "\($0) \"'$\\ü\n" + String(repeating: "x", count: 50) }
            let outcome = try await bench.run(bench.spec(["printf", "%s\\0"] + words))
            #expect(outcome.output.split(separator: "\0").map(String.init) == words)
        }

        @Test("no descriptor but the three standard streams")
        func descriptors() async throws {
            let bench = try Bench()
            let outcome = try await bench.run(
                bench.spec(["python3", "-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"])
            )
            #expect(outcome.output == "['0', '1', '2', '3']\n")  // 3 is the directory that is being read
        }

        @Test("no identity, no capability, no way back")
        func identity() async throws {
            let bench = try Bench()
            let status = try await bench.shell(
                "grep -E '^(Uid|Gid|Groups|Cap|NoNew|Seccomp)' /proc/self/status"
            ).output
            let zero = "0000000000000000"
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status.contains("\(set):\t\(zero)\n"))
            }
            #expect(status.contains("Uid:\t1000\t1000\t1000\t1000\n"))
            #expect(status.contains("NoNewPrivs:\t1\n"))
            #expect(status.contains("Seccomp_filters:\t2\n"))
        }

        @Test("a daemon that keeps stdout open ends with the main process")
        func daemon() async throws {
            let bench = try Bench()
            let script = "(setsid sh -c 'trap \"\" TERM HUP; sleep 100; sleep 100' &); echo done"
            let outcome = try await bench.shell(script)
            #expect(outcome.output.contains("done"))
            #expect(outcome.report.verdict == .exit(0))
        }

        @Test("TERM comes first, and a program may end by it")
        func termFirst() async throws {
            let bench = try Bench()
            let spec = bench.spec(["sh", "-c", "trap 'echo bye; exit 0' TERM; sleep 100 & echo up; wait"])
            let outcome = try await bench.run(spec) { process, output in
                await output.seen("up")
                process.end(.cancelled, grace: .seconds(60))
            }
            #expect(outcome.output == "up\nbye\n")
            #expect(outcome.report.verdict == .ended(.cancelled))
        }

        @Test("a program that is deaf to TERM is killed after the grace; the first reason stays")
        func deaf() async throws {
            let bench = try Bench()
            let spec = bench.spec(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 100; done"])
            let outcome = try await bench.run(spec) { process, output in
                await output.seen("up")
                process.end(.wallTimeout, grace: .milliseconds(50))
                process.end(.cancelled, grace: .zero)
            }
            #expect(outcome.report.verdict == .ended(.wallTimeout))
        }

        @Test("a jail whose caller went away ends everything")
        func callerGone() async throws {
            let bench = try Bench()
            let bytes = try bench.spec(["sh", "-c", "echo up; sleep 100"]).encoded()
            let output = Collected()
            let (pump, write) = try Bench.pump(output)
            let file = try OwnedDescriptor.sealedFile(named: "spec", bytes: bytes)
            let pair = try PacketPair()
            let child = try ChildProcess.spawn(
                try JailLocation.find(),
                arguments: ["drydock-jail", "--driven"],
                environment: [],
                inherited: [
                    .init(write, as: 1), .init(write, as: 2), .init(file, as: 3), .init(pair.second, as: 4),
                ]
            )
            try write.close()
            pair.keepingFirst().close()
            _ = try child.waitBlocking()
            await pump.finished()  // ends only when no process inside holds the pipe
        }

        @Test("a jail that is killed takes everything with it")
        func jailKilled() async throws {
            let bench = try Bench()
            let file = bench.directory.appending("spec")
            let bytes = try bench.spec(["sh", "-c", "echo up; sleep 100"]).encoded()
            try Data(bytes).write(to: URL(filePath: file.string))
            let (pump, write) = try Bench.pump(Collected())
            let child = try ChildProcess.spawn(
                try JailLocation.find(),
                arguments: ["drydock-jail", "--spec", file.string],
                environment: [],
                inherited: [.init(write, as: 1)]
            )
            try write.close()
            try child.signal(9)
            _ = try child.waitBlocking()
            await pump.finished()
        }

        @Test("runs of many leave no descriptor, process or cgroup")
        func noLeftovers() async throws {
            let bench = try Bench()
            _ = try await bench.shell("true")
            let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            for _ in 0..<20 { _ = try await bench.shell("sleep 100 & exit 0") }
            let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            #expect(after <= before + 2)  // other tests may run in this process
            // A jail that was killed by another test could not clean up.
            try JailLauncher().reapLeftovers()
            for controller in ["memory", "pids", "cpu"] {
                let names =
                    (try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup/\(controller)"))
                    ?? []
                for name in names where name.hasPrefix("drydock-jail-") {
                    let owner = name.dropFirst("drydock-jail-".count).prefix { $0 != "-" }
                    #expect(FileManager.default.fileExists(atPath: "/proc/\(owner)"), "\(name) is left")
                }
            }
        }
    }
}
