// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockSandbox
import SystemPackage
import Testing

extension SandboxTests {
    /// What waits in sockets where no control group counts it.
    ///
    /// Each probe is one of `Tests/Fixtures/sandbox/queues.c`.
    @Suite struct Sockets {
        @Test(
            "more sockets than the memory limit has room for end the sandbox, and are told",
            arguments: [
                "netlink_queues", "error_queues", "timestamp_queues", "timestamp_messages", "orphans",
                "sockets_on_their_way",
            ]
        )
        func crowd(probe: String) async throws {
            let bench = try Bench()
            let spec = bench.spec(["/w/probe", probe], limits: Limits(memory: .mebibytes(32)))
            let outcome = try await bench.run(spec)
            #expect(outcome.report.verdict == .tooManySockets, "\(outcome)")
            #expect(!outcome.output.contains("ok"))
        }

        @Test("a few of the same do no harm", arguments: ["few_netlink_queues", "few_error_queues"])
        func few(probe: String) async throws {
            let bench = try Bench()
            let spec = bench.spec(["/w/probe", probe], limits: Limits(memory: .mebibytes(32)))
            #expect(try await bench.run(spec).output == "ok\n")
        }

        @Test("a server with hundreds of connections lives")
        func server() async throws {
            let bench = try Bench()
            #expect(try await bench.run(bench.spec(["/w/probe", "many_connections"])).output == "ok\n")
        }

        @Test("local sockets, which a control group counts, may be more")
        func local() async throws {
            let bench = try Bench()
            let spec = bench.spec(["/w/probe", "many_local"], limits: Limits(memory: .mebibytes(32)))
            let outcome = try await bench.run(spec)
            let counted = outcome.capabilities?.limitsMemory ?? false
            #expect(outcome.report.verdict == (counted ? .exit(0) : .tooManySockets), "\(outcome)")
        }

        @Test("the size of a socket's buffers is answered as changed, and is not")
        func buffers() async throws {
            let bench = try Bench()
            #expect(try await bench.run(bench.spec(["/w/probe", "buffers_stay"])).output == "ok\n")
        }

        @Test("programs with a filter of their own go on without")
        func programs() async throws {
            let bench = try Bench()
            let script = """
                for try in 'file -b /bin/sh' 'man -V' 'apt -v'; do
                    ! command -v ${try%% *} || $try || exit
                done
                """
            #expect(try await bench.shell(script).report.verdict == .exit(0))
        }

        @Test("that the machine has no room for filters any more is told with what to do")
        func room() {
            let failure = SetupFailure(step: JailStep(rawValue: 17), errno: Errno(rawValue: 524))
            #expect(failure.hint.contains("net.core.bpf_jit_limit"))
        }
    }
}
