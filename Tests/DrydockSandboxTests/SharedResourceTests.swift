// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockSandbox
import FoundationEssentials
import SystemPackage
import Testing

extension SandboxTests {
    /// What the kernel counts for a user or for the machine, and no control group bounds.
    ///
    /// Each probe is one of `Tests/Fixtures/sandbox/taking.c`.
    @Suite struct SharedResources {
        private static let ended: [(String, String)] = [
            ("watchers", "16 EMFILE"), ("watches", "ENOSPC"), ("timers", "1024 EAGAIN"),
            ("signals", "1024 EAGAIN"), ("queues", "2 EMFILE"), ("terminals", "64 ENOSPC"),
            ("huge_memfd", "EINVAL"), ("huge_mmap", "ENOMEM"), ("huge_shm", "EPERM"),
        ]

        private static let allowed: [(String, String)] = [
            ("a_watcher", "10 ok"), ("some_watches", "500 ok"), ("some_timers", "500 ok"),
            ("queue_works", "ok"), ("some_terminals", "30 ok"), ("connection_works", "ok"),
        ]

        @Test("ends, long before the host's user or the machine has none left", arguments: ended)
        func ends(probe: String, answer: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["/w/probe", probe]))
            // The number of watches depends on how large the machine is.
            #expect(outcome.output.hasSuffix(answer + "\n"), "\(outcome.output)")
        }

        @Test("is there, in the numbers that programs need", arguments: allowed)
        func works(probe: String, answer: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["/w/probe", probe]))
            #expect(outcome.output == answer + "\n")
        }

        @Test("what waits in sockets is bounded by the memory limit")
        func sockets() async throws {
            let bench = try Bench()
            let spec = bench.spec(["/w/probe", "sockets"], limits: Limits(memory: .mebibytes(96)))
            let outcome = try await bench.run(spec)
            // v2 counts it as memory, so the probe may be killed for it: also a bound.
            #expect(outcome.output == "ok\n" || outcome.report.verdict == .oom, "\(outcome)")
        }

        @Test(
            "a core file is never written nor piped to the host's handler, and asking for another limit is no error",
            arguments: ["core_none", "core_all"]
        )
        func core(probe: String) async throws {
            let bench = try Bench()
            #expect(try await bench.run(bench.spec(["/w/probe", probe])).output == "ok\n")
            #expect(try await bench.shell("ulimit -c 0 && ulimit -n 100").report.verdict == .exit(0))
        }

        @Test("no name of a control group of the host is seen")
        func groupNames() async throws {
            let bench = try Bench()
            let groups = try await bench.shell("cat /proc/self/cgroup").output
            #expect(!groups.isEmpty)
            #expect(groups.split(separator: "\n").allSatisfy { $0.hasSuffix(":/") }, "\(groups)")
        }

        @Test("interrupts are not told, processors and the time of the start are")
        func statistics() async throws {
            let bench = try Bench()
            let told = try await bench.shell(
                "grep -E '^(intr|ctxt|softirq)' /proc/stat; cat /proc/softirqs /proc/schedstat"
            )
            #expect(told.output == "intr 0\nctxt 0\n")
            let needed = """
                grep -q '^btime [1-9]' /proc/stat && test $(grep -c '^cpu[0-9]' /proc/stat) = $(getconf _NPROCESSORS_ONLN)
                """
            #expect(try await bench.shell(needed).report.verdict == .exit(0))
            #expect(try await bench.shell("echo x > /proc/stat").report.verdict != .exit(0))
        }

        @Test("signals that the jail was started with ignored, 32 and 33 too, are not ignored inside")
        func ignoredSignals() async throws {
            let bench = try Bench(wrapper: "ignoring")
            let outcome = try await bench.shell("grep -E 'SigIgn|SigBlk' /proc/self/status")
            #expect(outcome.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
        }
    }

    @Suite struct SpecChecks {
        /// Runs a jail that is driven with `file` as its spec; its exit status.
        private func drive(_ file: borrowing OwnedDescriptor) throws -> ChildProcess.Ending.Status {
            let pair = try PacketPair()
            let child = try ChildProcess.spawn(
                try JailLocation.find(),
                arguments: ["drydock-jail", "--driven"],
                environment: [],
                inherited: [.init(file, as: 3), .init(pair.second, as: 4)]
            )
            return try child.waitBlocking().status
        }

        @Test("a spec that could still change is refused, a sealed one is carried out")
        func seals() throws {
            let bench = try Bench()
            let bytes = try bench.spec(["true"]).encoded()
            #expect(try drive(try OwnedDescriptor.sealedFile(named: "spec", bytes: bytes)) == .exited(0))
            let path = bench.directory.appending("spec")
            try Data(bytes).write(to: URL(filePath: path.string))
            let open = OwnedDescriptor(
                taking: try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            )
            #expect(try drive(open) == .exited(125))
        }

        @Test("a scratch size of zero, which tmpfs takes for no limit, is refused")
        func scratchSize() throws {
            let bench = try Bench()
            var bytes = try bench.spec(["true"]).encoded()
            // The field of the limits: its tag and length, then six numbers, of which this is the last.
            let head: [UInt8] = [6, 0, 0, 0, 48, 0, 0, 0]
            let field = try #require(bytes.firstRange(of: head))
            let size = field.upperBound + 40
            bytes.replaceSubrange(size..<size + 8, with: [UInt8](repeating: 0, count: 8))
            #expect(try drive(try OwnedDescriptor.sealedFile(named: "spec", bytes: bytes)) == .exited(125))
        }
    }
}
