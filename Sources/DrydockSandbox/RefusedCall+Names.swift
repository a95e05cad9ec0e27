// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Numbers by the names that manual pages and headers give them.
///
/// Sources: `linux/sched.h`, `bits/socket.h`, `linux/in.h`, `linux/netlink.h`, `sys/ptrace.h`, `linux/bpf.h`,
/// `linux/keyctl.h`, `asm-generic/errno.h`.
extension RefusedCall {
    static let errorNames = [
        1: "EPERM", 12: "ENOMEM", 22: "EINVAL", 38: "ENOSYS", 92: "ENOPROTOOPT", 93: "EPROTONOSUPPORT",
        94: "ESOCKTNOSUPPORT", 95: "EOPNOTSUPP", 97: "EAFNOSUPPORT",
    ]

    static let newUser: UInt32 = 0x1000_0000

    static let namespaces: [(UInt32, String)] = [
        (newUser, "CLONE_NEWUSER"), (0x0002_0000, "CLONE_NEWNS"), (0x2000_0000, "CLONE_NEWPID"),
        (0x4000_0000, "CLONE_NEWNET"), (0x0800_0000, "CLONE_NEWIPC"), (0x0400_0000, "CLONE_NEWUTS"),
        (0x0200_0000, "CLONE_NEWCGROUP"),
    ]

    static let families: [UInt32: String] = [
        2: "AF_INET", 10: "AF_INET6", 15: "AF_KEY", 16: "AF_NETLINK", 17: "AF_PACKET", 21: "AF_RDS",
        29: "AF_CAN",
        30: "AF_TIPC", 31: "AF_BLUETOOTH", 38: "AF_ALG", 40: "AF_VSOCK", 41: "AF_KCM", 43: "AF_SMC",
        44: "AF_XDP",
    ]

    static let kinds: [UInt32: String] = [
        1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 5: "SOCK_SEQPACKET", 6: "SOCK_DCCP",
        10: "SOCK_PACKET",
    ]

    static let protocols: [UInt32: String] = [
        1: "IPPROTO_ICMP", 33: "IPPROTO_DCCP", 58: "IPPROTO_ICMPV6", 115: "IPPROTO_L2TP", 132: "IPPROTO_SCTP",
        136: "IPPROTO_UDPLITE", 255: "IPPROTO_RAW", 262: "IPPROTO_MPTCP",
    ]

    static let netlinkProtocols: [UInt32: String] = [
        4: "NETLINK_SOCK_DIAG", 6: "NETLINK_XFRM", 9: "NETLINK_AUDIT", 12: "NETLINK_NETFILTER",
        15: "NETLINK_KOBJECT_UEVENT", 16: "NETLINK_GENERIC",
    ]

    static let traces: [UInt32: String] = [
        0: "PTRACE_TRACEME", 1: "PTRACE_PEEKTEXT", 2: "PTRACE_PEEKDATA", 7: "PTRACE_CONT",
        16: "PTRACE_ATTACH",
        17: "PTRACE_DETACH", 0x4206: "PTRACE_SEIZE",
    ]

    static let bpfCommands: [UInt32: String] = [0: "BPF_MAP_CREATE", 5: "BPF_PROG_LOAD"]

    static let keyCommands: [UInt32: String] = [
        0: "KEYCTL_GET_KEYRING_ID", 1: "KEYCTL_JOIN_SESSION_KEYRING", 8: "KEYCTL_LINK", 10: "KEYCTL_SEARCH",
        11: "KEYCTL_READ",
    ]

    static let terminalRequests: [UInt32: String] = [
        0x5412: "TIOCSTI", 0x541c: "TIOCLINUX", 0x5423: "TIOCSETD",
    ]

    static let fileCommands: [UInt32: String] = [1_024: "F_SETLEASE", 1_026: "F_NOTIFY"]

    static let socketOptions: [UInt32: String] = [
        26: "SO_ATTACH_FILTER", 50: "SO_ATTACH_BPF", 51: "SO_ATTACH_REUSEPORT_CBPF",
        52: "SO_ATTACH_REUSEPORT_EBPF",
    ]
}
