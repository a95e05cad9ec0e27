// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockSandbox
import Testing

extension SandboxTests {
    @Suite struct Resources {
        @Test("a fork bomb is held, and told where a cgroup counts")
        func forkBomb() async throws {
            let bench = try Bench()
            let spec = bench.spec(["/w/probe", "forkbomb"], limits: Limits(processes: 40))
            let outcome = try await bench.run(spec)
            #expect(outcome.output == "39 EAGAIN\n")
            let counted = outcome.capabilities?.limitsProcesses ?? false
            #expect(outcome.report.verdict == (counted ? .pidsLimit : .exit(1)))
        }

        @Test("a memory hog is ended and told as out of memory")
        func hog() async throws {
            let bench = try Bench()
            let spec = bench.spec(["/w/probe", "hog"], limits: Limits(memory: .mebibytes(128)))
            let outcome = try await bench.run(spec)
            let counted = outcome.capabilities?.limitsMemory ?? false
            #expect(outcome.report.verdict == (counted ? .oom : .exit(1)))
        }

        @Test("a small program under the same limit is not")
        func modest() async throws {
            let bench = try Bench()
            let spec = bench.spec(
                ["/w/probe", "fork"],
                limits: Limits(memory: .mebibytes(128), processes: 40)
            )
            let report = try await bench.run(spec).report
            #expect(report.verdict == .exit(0))
            #expect((report.usage.peakMemory?.bytes ?? 0) > 0)
        }

        @Test("files end at their limit")
        func fileSize() async throws {
            let bench = try Bench()
            let limits = Limits(fileSize: .mebibytes(1))
            let script = "head -c 1048576 /dev/zero > /w/fits && head -c 1048577 /dev/zero > /w/larger"
            let outcome = try await bench.shell(script, limits: limits)
            #expect(outcome.report.verdict != .exit(0))
            #expect(try await bench.shell("stat -c %s /w/fits").output == "1048576\n")
        }

        @Test("open files and locked memory end at their limits, core files are never written")
        func otherLimits() async throws {
            let bench = try Bench()
            let outcome = try await bench.shell(
                "ulimit -n; ulimit -c; ulimit -l",
                limits: Limits(openFiles: 77)
            )
            #expect(outcome.output == "77\n0\n1024\n")
        }

        @Test("CPU time is told")
        func usage() async throws {
            let bench = try Bench()
            let outcome = try await bench.shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
            #expect((outcome.report.usage.cpu ?? .zero) > .zero)
        }
    }

    @Suite struct FailClosed {
        @Test(
            "every step that fails stops the start and tells its number",
            arguments: Array(1...18) + Array(101...104)
        )
        func fault(step: Int) async throws {
            let bench = try Bench(SpecOptions(fault: step))
            do {
                let outcome = try await bench.run(bench.spec(["true"]))
                Issue.record("it ran: \(outcome)")
            } catch let error as SandboxError {
                guard case .setupFailed(let failure) = error else { throw error }
                #expect(failure.step.rawValue == step)
                #expect(failure.errno == .ioError)
                #expect(!failure.step.name.isEmpty && !failure.hint.isEmpty)
            }
        }

        @Test(
            "a spec that makes no sense is refused",
            arguments: [
                SandboxSpec(argv: [], environment: [:]),
                SandboxSpec(argv: ["a\0b"], environment: [:]),
                SandboxSpec(argv: ["a"], environment: ["": "x"]),
                SandboxSpec(argv: ["a"], environment: ["A=B": "x"]),
                SandboxSpec(argv: ["a"], environment: [:], workingDirectory: "w"),
                SandboxSpec(argv: ["a"], environment: [:], workingDirectory: "/w/../etc"),
                SandboxSpec(
                    argv: ["a"],
                    environment: [:],
                    mounts: [
                        SandboxMount(source: "relative", target: "/x", access: .readOnly)
                    ]
                ),
                SandboxSpec(
                    argv: ["a"],
                    environment: [:],
                    mounts: [
                        SandboxMount(source: "/tmp", target: "/", access: .readOnly)
                    ]
                ),
                SandboxSpec(argv: ["a"], environment: [:], policy: Policy(limits: Limits(processes: 0))),
                SandboxSpec(argv: ["a"], environment: [:], profile: .browser),
            ]
        )
        func invalid(spec: SandboxSpec) {
            #expect(throws: SandboxError.self) { try spec.encoded() }
        }

        @Test("the doctor says that builds can run here, and every remedy is for something missing")
        func doctor() async {
            let report = await SandboxDoctor.examine()
            #expect(report.canBuild())
            #expect(report.checks.allSatisfy { $0.isOK || $0.remedy != nil })
        }

        @Test(
            "without Landlock it is not L4, and L4 as the least is refused",
            arguments: [(SandboxLevel.reduced, true), (.full, false)]
        )
        func withoutLandlock(minimum: SandboxLevel, starts: Bool) async throws {
            let bench = try Bench(wrapper: "without-landlock")
            var spec = bench.spec(["true"])
            spec.policy.minimumLevel = minimum
            do {
                let outcome = try await bench.run(spec)
                #expect(starts)
                #expect(outcome.capabilities?.landlock == 0)
                #expect(outcome.capabilities?.level == .reduced)
            } catch let error as SandboxError {
                guard case .setupFailed(let failure) = error else { throw error }
                #expect(!starts && [16, 102].contains(failure.step.rawValue))
                #expect(failure.hint.contains("L3"))
            }
        }

        @Test("a group that a jail of the same number has left never means no limits")
        func leftGroup() async throws {
            let usual = try await Bench().shell("true").capabilities
            let bench = try Bench(wrapper: "leftover", flags: ["-DSTARTED=0"])
            #expect(try await bench.shell("true").capabilities == usual)
            try JailLauncher().reapLeftovers()
        }

        @Test("a group of exactly the jail's name is refused, and reaped once the jail is gone")
        func sameGroup() async throws {
            let usual = try await Bench().shell("true").capabilities
            guard usual?.limitsMemory == true else { return }  // L3: there are no groups to stumble over
            let bench = try Bench(wrapper: "leftover", flags: ["-DSTARTED=1"])
            do {
                let outcome = try await bench.shell("true")
                Issue.record("it ran: \(outcome)")
            } catch let error as SandboxError {
                guard case .setupFailed(let failure) = error else { throw error }
                #expect(failure.step.rawValue == 102 && failure.errno == .fileExists)
            }
            try JailLauncher().reapLeftovers()
            #expect(try await Bench().shell("true").capabilities == usual)
        }

        @Test("a set-up that is killed for want of memory is not told as a start")
        func killedDuringSetUp() async throws {
            let bench = try Bench()
            let spec = bench.spec(["true"], limits: Limits(memory: ByteCount(64 << 10)))
            do {
                let outcome = try await bench.run(spec)
                #expect(outcome.capabilities?.limitsMemory == false, "\(outcome)")
            } catch let error as SandboxError {
                guard case .setupFailed(let failure) = error else { throw error }
                #expect(!failure.hint.isEmpty)
            }
        }

        @Test("a policy is told in words")
        func explanation() {
            let text = PolicyExplanation.text(of: Policy(limits: Limits(memory: .mebibytes(512))))
            #expect(text.contains("512MiB"))
            #expect(text.contains("none but its own loopback"))
        }
    }
}
