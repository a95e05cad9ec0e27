// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockSandbox
import Testing

extension SandboxTests {
    /// What the sandbox stops is told, with what it was about; what it lets through is not.
    @Suite struct Violations {
        /// A probe of `probe.c`, the call and what it was about.
        private static let probes: [(String, String, String?)] = [
            ("unshare_user", "unshare", "CLONE_NEWUSER"), ("unshare_user_high", "unshare", "CLONE_NEWUSER"),
            ("unshare_net", "unshare", "CLONE_NEWNET"), ("clone_newns", "clone", "CLONE_NEWNS"),
            ("ptrace", "ptrace", "PTRACE_TRACEME"), ("bpf", "bpf", "BPF_MAP_CREATE"),
            ("vsock", "socket", "AF_VSOCK SOCK_STREAM"), ("alg", "socket", "AF_ALG SOCK_SEQPACKET"),
            ("raw", "socket", "AF_INET SOCK_RAW"),
            ("mptcp_high", "socket", "AF_INET SOCK_STREAM IPPROTO_MPTCP"),
            ("netlink_audit", "socket", "AF_NETLINK SOCK_RAW NETLINK_AUDIT"), ("tiocsti", "ioctl", "TIOCSTI"),
            ("lease", "fcntl", "F_SETLEASE"), ("listener", "seccomp", "SECCOMP_SET_MODE_FILTER"),
            ("own_filter_prctl", "prctl", "PR_SET_SECCOMP"), ("socket_bpf", "setsockopt", "SO_ATTACH_BPF"),
            ("io_uring", "io_uring_setup", nil), ("syslog", "syslog", nil),
            ("keyctl", "keyctl", "KEYCTL_GET_KEYRING_ID"),
        ]

        @Test("is told by its name, and by the arguments that matter", arguments: probes)
        func told(probe: String, call: String, target: String?) async throws {
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["/w/probe", probe]))
            #expect(outcome.report.verdict == .exit(1))
            let violation = try #require(outcome.violations.first)
            #expect(outcome.violations.count == 1)
            #expect(violation.call == call && violation.target == target, "\(violation.words)")
            #expect(violation.program == "/w/probe" && (violation.pid ?? 0) > 1)
            #expect(
                violation.wants != nil
                    && violation.error == outcome.output.split(separator: "\n").first.map(String.init)
            )
        }

        @Test("names the files and file systems that a call was about")
        func texts() async throws {
            let outcome = try await Bench().shell(
                """
                mount -t proc proc /proc 2>&1; touch x; chmod 4755 x 2>&1; mknod null c 1 3 2>&1
                python3 -c 'import os; os.chroot("/w")' 2>&1; true
                """
            )
            let words = outcome.violations.map(\.what)
            #expect(words.contains("mount (proc on /proc) by /usr/bin/mount"), "\(words)")
            #expect(words.contains("fchmodat (x 4755) by /usr/bin/chmod"), "\(words)")
            #expect(words.contains { $0.hasPrefix("mknodat (null c 0666) by ") }, "\(words)")
            #expect(words.contains { $0.hasPrefix("chroot (/w) by /usr/bin/python3") }, "\(words)")
        }

        @Test(
            "ordinary work is no violation",
            arguments: ["loopback", "unix", "udp", "thread", "fork", "chmod_plain"]
        )
        func ordinary(probe: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["/w/probe", probe]))
            #expect(outcome.output == "ok\n" && outcome.violations.isEmpty)
        }

        @Test("a flood is told a few times, and counted to the last call")
        func flood() async throws {
            let script = """
                import ctypes, threading
                libc = ctypes.CDLL(None, use_errno=True)
                def work():
                    for _ in range(5000): assert libc.unshare(0x10000000) == -1 and ctypes.get_errno() == 1
                threads = [threading.Thread(target=work) for _ in range(4)]
                [t.start() for t in threads]; [t.join() for t in threads]
                print("done")
                """
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["python3", "-c", script]))
            #expect(outcome.output == "done\n", "\(outcome.errors)")
            #expect(outcome.violations.count <= 64)
            #expect(outcome.violations.reduce(0) { $0 + $1.count } == 20_000)
        }

        /// A handler that restarts nothing has the call end with EINTR, unless the init has read it already.
        @Test("who is interrupted while it waits for the answer is never let through")
        func signals() async throws {
            let script = """
                import ctypes, signal
                libc = ctypes.CDLL(None, use_errno=True)
                count = 0
                def hear(*_):
                    global count; count += 1
                signal.signal(signal.SIGALRM, hear)
                signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
                for _ in range(3000): assert libc.unshare(0x10000000) == -1 and ctypes.get_errno() in (1, 4)
                signal.setitimer(signal.ITIMER_REAL, 0, 0)
                print("heard" if count > 0 else "nothing")
                """
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["python3", "-c", script]))
            #expect(outcome.output == "heard\n", "\(outcome.errors)")
            #expect(outcome.violations.reduce(0) { $0 + $1.count } > 0)
        }

        @Test("texts that end where their memory does, or are none, hurt nobody")
        func wildTexts() async throws {
            let script = """
                import ctypes, mmap
                libc = ctypes.CDLL(None, use_errno=True)
                page = mmap.mmap(-1, 4096)
                page[4090:4096] = b"abcdef"
                end = ctypes.addressof(ctypes.c_char.from_buffer(page, 4090))
                for path in [end, 0, 1, (1 << 64) - 1, (1 << 47) - 2]:
                    libc.chroot(ctypes.c_void_p(path))
                libc.chroot(b"\\xff\\xfe\\x1b[31m" + b"x" * 5000)
                """
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["python3", "-c", script]))
            #expect(outcome.report.verdict == .exit(0), "\(outcome.errors)")
            #expect(outcome.violations.count == 6 && outcome.violations.allSatisfy { $0.call == "chroot" })
            #expect(outcome.violations.first?.target?.hasPrefix("abcdef") == true)
            #expect(outcome.violations.last?.target?.hasSuffix("xxx") == true)
        }

        @Test("under somebody else's observer all is refused as ever, and nothing is told")
        func observed() async throws {
            let bench = try Bench(wrapper: "observed")
            let outcome = try await bench.run(bench.spec(["/w/probe", "unshare_user"]))
            #expect(outcome.output == "EPERM\n" && outcome.violations.isEmpty)
            let neighbour = try await bench.run(bench.spec(["/w/probe", "loopback"]))
            #expect(neighbour.output == "ok\n")
        }

        @Test("the debug profile is told for what it still refuses")
        func debugging() async throws {
            let bench = try Bench()
            var spec = bench.spec(["sh", "-c", "/w/probe ptrace; /w/probe mount"])
            spec.profile = .debug
            let outcome = try await bench.run(spec)
            #expect(outcome.violations.map(\.call) == ["mount"])
        }
    }
}
