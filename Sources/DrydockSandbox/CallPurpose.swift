// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What a refused call was probably for, and what to do about it.
struct CallPurpose: Hashable, Sendable {
    /// Completes "it wants": a thing, and how programs do without where they can.
    var words: String
    /// The line that allows it, where there is one.
    var allow: String?
    /// Whether programs try it as a matter of course and go on without.
    var isProbe = false

    private init(_ words: String, allow: String? = nil, isProbe: Bool = false) {
        self.words = words
        self.allow = allow
        self.isProbe = isProbe
    }

    /// The profile that lets a program look into its own children.
    static let debugging = "profile: debug"

    /// By the call, then by who makes it: a browser's namespaces are not a container's.
    static func of(_ call: RefusedCall) -> CallPurpose {
        switch call.call {
        case "unshare", "clone", "setns": namespace(call)
        case "socket": socket(call)
        case "ptrace": tracing(call)
        default: purposes[call.call] ?? CallPurpose("to change the machine")
        }
    }

    // MARK: Those that depend on their arguments

    private static func namespace(_ call: RefusedCall) -> CallPurpose {
        let program = call.program.split(separator: "/").last.map(String.init) ?? ""
        if call.call == "setns" { return CallPurpose("to enter a namespace of another process") }
        if ["chrom", "headless_shell", "electron"].contains(where: program.contains) {
            return CallPurpose(
                "the browser's own sandbox; start it with --no-sandbox: it runs in one already"
            )
        }
        if ["podman", "buildah", "docker", "runc", "crun", "bwrap", "flatpak", "newuidmap"].contains(program)
        {
            return CallPurpose("a container inside the sandbox, which is one already: run its command itself")
        }
        let isUser = call.int(0) & RefusedCall.newUser != 0
        return CallPurpose(
            isUser
                ? "a user namespace, as tools do that play root or make a sandbox: run the command without them"
                : "a namespace of its own: run the command without it"
        )
    }

    private static func tracing(_ call: RefusedCall) -> CallPurpose {
        // The thread that LeakSanitizer makes attaches to its siblings; a debugger seizes, or has its child ask.
        let program = call.program.split(separator: "/").last.map(String.init) ?? ""
        let isTracer = ["gdb", "lldb", "strace", "ltrace", "rr", "perf", "valgrind"].contains(
            where: program.hasPrefix
        )
        if call.int(0) == 16, !isTracer {
            return CallPurpose(
                "to attach to a process, as LeakSanitizer does at a program's end "
                    + "(ASAN_OPTIONS=detect_leaks=0 switches that off)",
                allow: debugging
            )
        }
        return CallPurpose("to trace a process, as debuggers do", allow: debugging)
    }

    private static func socket(_ call: RefusedCall) -> CallPurpose {
        switch call.int(0) {
        case 2, 10:
            switch call.int(2) {
            case 262: CallPurpose("TCP over several paths; programs go on with TCP", isProbe: true)
            case 132, 33, 136: CallPurpose("a transport beside TCP and UDP")
            default: CallPurpose("raw network packets, as ping does: look at the service itself instead")
            }
        case 16: CallPurpose("the kernel's own messages, of which there are only routes here", isProbe: true)
        case 17: CallPurpose("raw network packets, as tcpdump reads them")
        case 38: CallPurpose("the kernel's cryptography; libraries go on with their own", isProbe: true)
        case 40: CallPurpose("the host of a virtual machine (vsock)", isProbe: true)
        default: CallPurpose("a network that is not the internet's")
        }
    }

    // MARK: Those that are told by their name

    private static let filter = CallPurpose(
        "a filter of its own for system calls; most programs go on without it",
        isProbe: true
    )
    private static let ring = CallPurpose("io_uring; programs go on without it", isProbe: true)
    private static let keys = CallPurpose(
        "the kernel's store of keys; programs go on without it",
        isProbe: true
    )
    private static let mounting = CallPurpose(
        "to change what is mounted: copy or link files instead"
    )
    private static let setUser = CallPurpose(
        "a set-uid file, which would run as its owner: install it without that bit (mode 0755)"
    )
    private static let device = CallPurpose("a device file: use those of /dev that are there")
    private static let memory = CallPurpose("the memory of another process", allow: debugging)
    private static let machine = CallPurpose("to change the machine")
    private static let time = CallPurpose("to set the machine's clock: use a library that fakes the time")
    private static let handles = CallPurpose(
        "files by their handle; programs go on without it",
        isProbe: true
    )

    private static let purposes: [String: CallPurpose] = [
        "mount": mounting, "umount2": mounting, "mount_setattr": mounting, "move_mount": mounting,
        "open_tree": mounting, "fsopen": mounting, "fsconfig": mounting, "fsmount": mounting,
        "fspick": mounting,
        "pivot_root": CallPurpose(
            "another root directory: run the command with paths below its own directory"
        ),
        "chroot": CallPurpose("another root directory: run the command with paths below its own directory"),
        "seccomp": filter, "prctl": filter,
        "io_uring_setup": ring, "io_uring_enter": ring, "io_uring_register": ring,
        "keyctl": keys, "add_key": keys, "request_key": keys,
        "bpf": CallPurpose("a program in the kernel (eBPF)"),
        "perf_event_open": CallPurpose("the processor's counters, as profilers read them", isProbe: true),
        "userfaultfd": CallPurpose("to handle its own page faults; programs go on without it", isProbe: true),
        "name_to_handle_at": handles, "open_by_handle_at": CallPurpose("files by their handle"),
        "fanotify_init": CallPurpose("to watch a whole file system: inotify watches directories"),
        "chmod": setUser, "fchmod": setUser, "fchmodat": setUser, "creat": setUser, "open": setUser,
        "openat": setUser, "mknod": device, "mknodat": device,
        "kcmp": memory, "pidfd_getfd": memory, "process_madvise": memory, "process_vm_readv": memory,
        "process_vm_writev": memory,
        "ioctl": CallPurpose("to type into a terminal, or to change how it reads"),
        "fcntl": CallPurpose("a lease on a file, which holds others up: use a lock (flock)", isProbe: true),
        "setsockopt": CallPurpose("a filter of its own for what a socket receives", isProbe: true),
        "settimeofday": time, "clock_settime": time, "adjtimex": time, "clock_adjtime": time,
        "sethostname": CallPurpose("to name the machine"),
        "setdomainname": CallPurpose("to name the machine"),
        "syslog": CallPurpose("the kernel's log"),
        "acct": machine, "delete_module": machine, "finit_module": machine, "init_module": machine,
        "ioperm": machine, "iopl": machine, "kexec_file_load": machine, "kexec_load": machine,
        "quotactl": machine,
        "reboot": machine, "swapoff": machine, "swapon": machine, "vhangup": machine,
    ]
}
