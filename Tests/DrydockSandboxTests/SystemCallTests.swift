// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

extension SandboxTests {
    /// Each probe is one call of `Tests/Fixtures/sandbox/probe.c`.
    @Suite struct SystemCalls {
        private static let denied: [(String, String)] = [
            ("mount", "EPERM"), ("umount2", "EPERM"), ("pivot_root", "EPERM"), ("chroot", "EPERM"),
            ("open_tree", "EPERM"), ("move_mount", "EPERM"), ("fsopen", "EPERM"),
            ("mount_setattr", "EPERM"), ("unshare_user", "EPERM"), ("unshare_net", "EPERM"),
            ("unshare_user_high", "EPERM"), ("setns", "EPERM"), ("clone_newuser", "EPERM"),
            ("clone_newns", "EPERM"), ("clone_newpid_high", "EPERM"), ("clone3", "ENOSYS"),
            ("ptrace", "EPERM"), ("process_vm_readv", "EPERM"), ("pidfd_getfd", "EPERM"),
            ("kcmp", "EPERM"), ("keyctl", "EPERM"), ("add_key", "EPERM"), ("request_key", "EPERM"),
            ("bpf", "EPERM"), ("perf", "EPERM"), ("io_uring", "EPERM"), ("userfaultfd", "EPERM"),
            ("name_to_handle", "EPERM"), ("open_by_handle", "EPERM"), ("reboot", "EPERM"),
            ("kexec", "EPERM"), ("init_module", "EPERM"), ("syslog", "EPERM"), ("sethostname", "EPERM"),
            ("settimeofday", "EPERM"), ("swapon", "EPERM"), ("fanotify", "EPERM"), ("acct", "EPERM"),
            ("unknown", "ENOSYS"), ("io_setup", "ENOSYS"), ("openat2", "ENOSYS"),
            ("personality_exec", "ENOSYS"), ("vsock", "EAFNOSUPPORT"), ("vsock_high", "EAFNOSUPPORT"),
            ("packet", "EAFNOSUPPORT"), ("alg", "EAFNOSUPPORT"), ("raw", "ESOCKTNOSUPPORT"),
            ("raw6", "ESOCKTNOSUPPORT"), ("sctp", "EPROTONOSUPPORT"), ("mptcp", "EPROTONOSUPPORT"),
            ("mptcp_high", "EPROTONOSUPPORT"), ("netlink_audit", "EPROTONOSUPPORT"),
            ("netlink_netfilter", "EPROTONOSUPPORT"), ("fastopen", "EOPNOTSUPP"), ("tiocsti", "EPERM"),
            ("tiocsti_high", "EPERM"), ("tioclinux", "EPERM"), ("lease", "EPERM"), ("listener", "EINVAL"),
            ("own_filter", "EINVAL"), ("own_filter_high", "EINVAL"), ("own_filter_prctl", "EINVAL"),
            ("socket_filter", "EPERM"), ("socket_filter_high", "EPERM"), ("socket_bpf", "EPERM"),
            ("reuse_filter", "EPERM"), ("reuse_bpf", "EPERM"), ("limit_core_and_ask", "EPERM"),
            ("fchmod_suid", "EPERM"), ("chmod_suid_high", "EPERM"), ("openat_suid", "EPERM"),
            ("openat_suid_high", "EPERM"), ("mknod_device", "EPERM"), ("setuid_root", "EINVAL"),
            ("kill_init", "EPERM"), ("ambient", "EPERM"),
            ("limit_init", "ENOSYS"), ("realtime", "EPERM"), ("nice_up", "EACCES"), ("tmpfile_suid", "EPERM"),
        ]

        private static let allowed = [
            "personality_query", "netlink_route", "loopback", "unix", "udp", "fionread", "lock",
            "ask_filter_action", "reuse_port", "chmod_plain", "mkfifo", "thread", "memfd", "rename_across",
            "signal_self", "bounding_empty", "fork", "limit_self", "ask_limit", "no_priority",
        ]

        @Test("is refused, with the error that programs know", arguments: denied)
        func refused(probe: String, error: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["/w/probe", probe]))
            #expect(outcome.output == error + "\n")
            #expect(outcome.report.verdict == .exit(1))
        }

        @Test("goes on working", arguments: allowed)
        func works(probe: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["/w/probe", probe]))
            #expect(outcome.output == "ok\n")
            #expect(outcome.report.verdict == .exit(0))
        }

        @Test("the call tables of i386 and x32 are death", arguments: ["int80", "x32"])
        func foreignTables(probe: String) async throws {
            let bench = try Bench()
            let outcome = try await bench.run(bench.spec(["/w/probe", probe]))
            #expect(outcome.report.verdict == .signalled(31))  // SIGSYS
        }

        @Test("the debug profile may trace its own children, and nothing else more")
        func debugProfile() async throws {
            let bench = try Bench()
            var spec = bench.spec(["/w/probe", "ptrace"])
            spec.profile = .debug
            #expect(try await bench.run(spec).output == "ok\n")
            spec.argv = ["/w/probe", "mount"]
            #expect(try await bench.run(spec).output == "EPERM\n")
        }

        @Test("nothing outside can be reached")
        func network() async throws {
            let bench = try Bench()
            #expect(try await bench.run(bench.spec(["/w/probe", "outside"])).output == "ENETUNREACH\n")
            // Two lines of heading, and lo.
            #expect(try await bench.shell("cat /proc/net/dev | wc -l").output == "3\n")
        }
    }
}
