// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockSandbox
import FoundationEssentials
import SystemPackage
import Testing

extension SandboxTests {
    @Suite struct Files {
        private static let refused: [String] = [
            "touch /usr/x", "touch /x", "touch /etc/x", "mkdir /dev/x", "rm /usr/bin/true", "touch /opt/x",
            "echo x > /proc/sys/kernel/hostname", "echo x > /proc/sys/kernel/core_pattern",
            "echo 9 > /proc/sys/user/max_user_namespaces", "cat /etc/shadow", "ls /root", "ls /home",
            "test -n \"$(ls /sys | grep -v fs)\"", "test -n \"$(ls /sys/fs | grep -v cgroup)\"",
            "mkdir /sys/fs/cgroup/x", "mkdir /sys/fs/cgroup/memory/x",
            "echo 99 > /sys/fs/cgroup/memory/memory.limit_in_bytes", "echo max > /sys/fs/cgroup/memory.max",
            "ls /var", "ls /run", "ls /proc/1/root/", "cat /proc/1/environ", "ls /proc/1/fd/", "ls /dev/vda",
            "ls /dev/kmsg", "ls /dev/mem", "head -c 1 /proc/kcore", "echo b > /proc/sysrq-trigger",
            "head -c 1 /proc/kmsg", "head -c 1 /proc/kallsyms | grep -q .",
            "head -c 1 /proc/keys | grep -q .",
            "test -n \"$(ls /proc/bus)\"", "test -n \"$(ls /proc/fs)\"", "echo 0 > /proc/1/oom_score_adj",
            "mount -t tmpfs x /tmp", "ln /usr/bin/true /w/true", "kill -9 1", "test -e /old",
            "cat /proc/self/map_files/x", "head -c 1 /proc/interrupts | grep -q .",
            "head -c 1 /proc/cmdline | grep -q .",
            "head -c 1 /proc/partitions | grep -q .", "head -c 1 /proc/locks | grep -q .",
            "test -n \"$(ls /proc/pressure)\"",
            "mkdir /proc/bus/x", "mkdir /dev/shm/../x", "echo x > /proc/1/comm", "cat /proc/1/maps",
            "cp /usr/bin/true /dev/null/x", "chmod 777 /proc/bus", "ls /proc/1/ns/",
        ]

        private static let allowed: [String] = [
            "touch /w/x", "touch /tmp/x", "touch /dev/shm/x", "echo x > /dev/null", "head -c 8 /dev/urandom",
            "echo 500 > /proc/self/oom_score_adj", "cat /proc/cpuinfo", "cat /proc/meminfo",
            "ls /proc/self/fd",
            "mkdir /w/d && mv /w/d /w/e", "ln -s x /w/l", "cp /usr/bin/true /w/t && /w/t", "test -w /w",
            "cat /etc/passwd", "id -un", "getent services https", "getent protocols tcp",
            "cat /proc/self/status", "mkfifo /w/f", "chmod 700 /w",
            "ls /usr/bin",
            "echo hi > /dev/stdout", "python3 -c 'import os; os.openpty()'", "sh -c 'kill -0 $$'",
        ]

        @Test("can not be done", arguments: refused)
        func denies(script: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.shell(script)
            guard case .exit(let code) = outcome.report.verdict else {
                Issue.record("\(outcome.report.verdict)")
                return
            }
            #expect(code != 0, "\(outcome.output)")
        }

        @Test("can be done", arguments: allowed)
        func allows(script: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.shell(script)
            #expect(outcome.report.verdict == .exit(0), "\(outcome.errors)")
        }

        @Test("a read-only mount can be read and executed, not written")
        func readOnlyMount() async throws {
            let bench = try Bench()
            var spec = bench.spec(["sh", "-c", "/ro/probe fork && ! touch /ro/x"])
            spec.mounts.append(SandboxMount(source: bench.workspace.string, target: "/ro", access: .readOnly))
            #expect(try await bench.run(spec).report.verdict == .exit(0))
        }

        @Test("a mount without execution can be read, not executed")
        func noExecMount() async throws {
            let bench = try Bench()
            var spec = bench.spec(["sh", "-c", "test -r /ro/probe; /ro/probe fork"])
            spec.mounts.append(
                SandboxMount(
                    source: bench.workspace.string,
                    target: "/ro",
                    access: .readOnly,
                    execution: .denied
                )
            )
            #expect(try await bench.run(spec).report.verdict == .exit(126))
        }

        @Test("a link that the build left where a mount shall be leads nowhere")
        func linkAsMountPoint() async throws {
            let bench = try Bench()
            _ = try await bench.shell("ln -s /usr /w/cache")
            var spec = bench.spec(["true"])
            spec.mounts.append(SandboxMount(source: "/tmp", target: "/w/cache/x", access: .readOnly))
            await #expect(throws: SandboxError.self) { try await bench.run(spec) }
        }

        @Test("a missing mount is step 103 or 5, and says what to do")
        func missingMount() async throws {
            let bench = try Bench()
            var spec = bench.spec(["true"])
            spec.mounts.append(SandboxMount(source: "/nowhere/at/all", target: "/x", access: .readOnly))
            do {
                _ = try await bench.run(spec)
                Issue.record("it started")
            } catch let error as SandboxError {
                guard case .setupFailed(let failure) = error else { throw error }
                #expect(failure.step.rawValue == (Machine.isRoot ? 103 : 5))
                #expect(failure.errno == .noSuchFileOrDirectory)
                #expect(!failure.hint.isEmpty)
            }
        }

        @Test("what a step writes belongs to the identity that callers are told")
        func ownership() async throws {
            let bench = try Bench()
            _ = try await bench.shell("touch /w/mine")
            let attributes = try FileManager.default.attributesOfItem(
                atPath: bench.workspace.appending("mine").string
            )
            #expect(
                attributes[.ownerAccountID] as? UInt32 == SandboxIdentity.current.hostUser
                    || attributes[.ownerAccountID] as? UInt == UInt(SandboxIdentity.current.hostUser)
            )
        }

        @Test("mounts inside do not show outside")
        func noMountsLeft() async throws {
            let bench = try Bench()
            _ = try await bench.shell("true")
            let mounts = String(
                decoding: try Data(contentsOf: URL(filePath: "/proc/self/mountinfo")),
                as: UTF8.self
            )
            #expect(!mounts.contains(bench.directory.string))
        }
    }
}
