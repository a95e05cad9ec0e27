// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Filter B: what is refused on purpose, each with the error that programs expect of a system that does not let them.

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "filter.h"

/// Each a door to the machine, to other processes, or to a large and young part of the kernel.
static const char *const forbidden[] = {
    "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
    "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter",
    "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "mount",
    "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open",
    "pivot_root", "quotactl", "reboot", "request_key", "setdomainname", "sethostname", "setns", "settimeofday",
    "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
};

/// Looking into other processes: allowed for debugging one's own children.
static const char *const tracing[] = {
    "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
};

/// One rule of up to three conditions.
struct denial {
    const char *name;
    uint16_t error;
    uint16_t count;
    struct scmp_arg_cmp conditions[3];
};

enum {
    MESSAGE_FASTOPEN = 0x20000000,
    OPTION_FASTOPEN = 23,
    OPTION_ULP = 31,
    OPTION_FASTOPEN_CONNECT = 30,
    LINE_DISCIPLINE = 0x5423,
    OPEN_TEMPORARY = 020000000,
    MAP_HUGE = 0x40000,
    MEMFD_HUGE = 4,
    SHARED_MEMORY_HUGE = 04000,
};

static const struct denial denials[] = {
    // Input pushed into a terminal, which might be shared with a shell outside.
    {"ioctl", EPERM, 1, {SBX_INT(1, TIOCSTI)}},
    {"ioctl", EPERM, 1, {SBX_INT(1, TIOCLINUX)}},
    {"ioctl", EPERM, 1, {SBX_INT(1, LINE_DISCIPLINE)}},
    // A connection made by sending passes rules that look at connect.
    {"sendto", EOPNOTSUPP, 1, {SBX_BITS(3, MESSAGE_FASTOPEN, MESSAGE_FASTOPEN)}},
    {"sendmsg", EOPNOTSUPP, 1, {SBX_BITS(2, MESSAGE_FASTOPEN, MESSAGE_FASTOPEN)}},
    {"sendmmsg", EOPNOTSUPP, 1, {SBX_BITS(3, MESSAGE_FASTOPEN, MESSAGE_FASTOPEN)}},
    {"setsockopt", ENOPROTOOPT, 2, {SBX_INT(1, 6), SBX_INT(2, OPTION_FASTOPEN)}},
    {"setsockopt", ENOPROTOOPT, 2, {SBX_INT(1, 6), SBX_INT(2, OPTION_FASTOPEN_CONNECT)}},
    {"setsockopt", ENOPROTOOPT, 2, {SBX_INT(1, 6), SBX_INT(2, OPTION_ULP)}},
    // A lease holds up whoever opens the file outside.
    {"fcntl", EPERM, 1, {SBX_INT(1, F_SETLEASE)}},
    {"fcntl", EPERM, 1, {SBX_INT(1, F_NOTIFY)}},
    // Filters are compiled into memory of the machine's that no group counts, of which there is little: when it is used up
    // no other sandbox starts. As on a kernel without them, as which programs go on; listeners go with them, which could
    // answer calls in another process's name.
    {"seccomp", EINVAL, 1, {SBX_INT(0, SECCOMP_SET_MODE_FILTER)}},
    {"prctl", EINVAL, 2, {SBX_INT(0, PR_SET_SECCOMP), SBX_INT(1, SECCOMP_MODE_FILTER)}},
    {"setsockopt", EPERM, 2, {SBX_INT(1, SOL_SOCKET), SBX_INT(2, SO_ATTACH_FILTER)}},
    {"setsockopt", EPERM, 2, {SBX_INT(1, SOL_SOCKET), SBX_INT(2, SO_ATTACH_BPF)}},
    {"setsockopt", EPERM, 2, {SBX_INT(1, SOL_SOCKET), SBX_INT(2, SO_ATTACH_REUSEPORT_CBPF)}},
    {"setsockopt", EPERM, 2, {SBX_INT(1, SOL_SOCKET), SBX_INT(2, SO_ATTACH_REUSEPORT_EBPF)}},
    // Answered as done and not done: sockets.c counts on every socket's having the machine's default.
    {"setsockopt", 0, 2, {SBX_INT(1, SOL_SOCKET), SBX_INT(2, SO_RCVBUF)}},
    {"setsockopt", 0, 2, {SBX_INT(1, SOL_SOCKET), SBX_INT(2, SO_SNDBUF)}},
    // Huge pages are set aside for the machine, and no memory limit counts them. As where there are none.
    {"mmap", ENOMEM, 1, {SBX_BITS(3, MAP_HUGE, MAP_HUGE)}},
    {"memfd_create", EINVAL, 1, {SBX_BITS(1, MEMFD_HUGE, MEMFD_HUGE)}},
    {"shmget", EPERM, 1, {SBX_BITS(2, SHARED_MEMORY_HUGE, SHARED_MEMORY_HUGE)}},
    // Answered as done and not done, as `ulimit -c 0` must not fail: session.c tells why 1 has to stay.
    {"setrlimit", 0, 1, {SBX_INT(0, RLIMIT_CORE)}},
    {"prlimit64", 0, 3, {SBX_INT(1, RLIMIT_CORE), {2, SCMP_CMP_NE, 0, 0}, {3, SCMP_CMP_EQ, 0, 0}}},
    // Who asks for the old one too would be told nothing, and take what is in its memory for it.
    {"prlimit64", EPERM, 3, {SBX_INT(1, RLIMIT_CORE), {2, SCMP_CMP_NE, 0, 0}, {3, SCMP_CMP_NE, 0, 0}}},
    // Files that would change the identity of whoever runs them, wherever they are copied to.
    {"chmod", EPERM, 1, {SBX_BITS(1, S_ISUID, S_ISUID)}},
    {"fchmod", EPERM, 1, {SBX_BITS(1, S_ISUID, S_ISUID)}},
    {"fchmodat", EPERM, 1, {SBX_BITS(2, S_ISUID, S_ISUID)}},
    {"creat", EPERM, 1, {SBX_BITS(1, S_ISUID, S_ISUID)}},
    {"open", EPERM, 2, {SBX_BITS(1, O_CREAT, O_CREAT), SBX_BITS(2, S_ISUID, S_ISUID)}},
    {"open", EPERM, 2, {SBX_BITS(1, OPEN_TEMPORARY, OPEN_TEMPORARY), SBX_BITS(2, S_ISUID, S_ISUID)}},
    {"openat", EPERM, 2, {SBX_BITS(2, O_CREAT, O_CREAT), SBX_BITS(3, S_ISUID, S_ISUID)}},
    {"openat", EPERM, 2, {SBX_BITS(2, OPEN_TEMPORARY, OPEN_TEMPORARY), SBX_BITS(3, S_ISUID, S_ISUID)}},
    {"mknod", EPERM, 1, {SBX_BITS(1, S_ISUID, S_ISUID)}},
    {"mknodat", EPERM, 1, {SBX_BITS(2, S_ISUID, S_ISUID)}},
    {"mknod", EPERM, 1, {SBX_BITS(1, S_IFMT, S_IFCHR)}},
    {"mknod", EPERM, 1, {SBX_BITS(1, S_IFMT, S_IFBLK)}},
    {"mknodat", EPERM, 1, {SBX_BITS(2, S_IFMT, S_IFCHR)}},
    {"mknodat", EPERM, 1, {SBX_BITS(2, S_IFMT, S_IFBLK)}},
};

/// Namespaces by clone: one bit is enough to be refused.
static int deny_namespaces(scmp_filter_ctx context) {
    const uint32_t flags[] = {CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                              CLONE_NEWUSER, CLONE_NEWPID,   CLONE_NEWNET};
    for (size_t i = 0; i < SBX_COUNT_OF(flags); i++) {
        const struct scmp_arg_cmp rule[] = {SBX_BITS(0, flags[i], flags[i])};
        int result = sbx_filter_add(context, SCMP_ACT_ERRNO(EPERM), "clone", rule, 1);
        if (result != 0) return result;
    }
    return 0;
}

/// The families that Linux knows and filter A does not: AF_VSOCK is not even bounded by a network namespace.
static int deny_families(scmp_filter_ctx context) {
    for (uint32_t family = 0; family < 48; family++) {
        if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
        const struct scmp_arg_cmp rule[] = {SBX_INT(0, family)};
        int result = sbx_filter_add(context, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", rule, 1);
        if (result != 0) return result;
    }
    return 0;
}

/// Kinds and protocols beside TCP and UDP: raw, SCTP, DCCP, MPTCP, UDP-Lite; of netlink all but routes.
static int deny_protocols(scmp_filter_ctx context) {
    const uint32_t kinds[] = {SOCK_RAW, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET};
    const uint32_t protocols[] = {1, 33, 58, 115, 132, 136, 255, 262};
    for (size_t i = 0; i < 2 * SBX_COUNT_OF(kinds); i++) {
        uint32_t family = i % 2 == 0 ? AF_INET : AF_INET6;
        const struct scmp_arg_cmp rule[] = {SBX_INT(0, family), SBX_BITS(1, 0xf, kinds[i / 2])};
        int result = sbx_filter_add(context, SCMP_ACT_ERRNO(ESOCKTNOSUPPORT), "socket", rule, 2);
        if (result != 0) return result;
    }
    for (size_t i = 0; i < 2 * SBX_COUNT_OF(protocols); i++) {
        uint32_t family = i % 2 == 0 ? AF_INET : AF_INET6;
        const struct scmp_arg_cmp rule[] = {SBX_INT(0, family), SBX_INT(2, protocols[i / 2])};
        int result = sbx_filter_add(context, SCMP_ACT_ERRNO(EPROTONOSUPPORT), "socket", rule, 2);
        if (result != 0) return result;
    }
    for (uint32_t protocol = 1; protocol < 24; protocol++) {
        const struct scmp_arg_cmp rule[] = {SBX_INT(0, AF_NETLINK), SBX_INT(2, protocol)};
        int result = sbx_filter_add(context, SCMP_ACT_ERRNO(EPROTONOSUPPORT), "socket", rule, 2);
        if (result != 0) return result;
    }
    return 0;
}

int sbx_filter_fill_deny(scmp_filter_ctx context, enum sbx_profile profile) {
    const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
    int result = sbx_filter_add_names(context, refuse, forbidden, SBX_COUNT_OF(forbidden));
    if (result == 0 && profile != SBX_PROFILE_DEBUG) {
        result = sbx_filter_add_names(context, refuse, tracing, SBX_COUNT_OF(tracing));
    }
    for (size_t i = 0; result == 0 && i < SBX_COUNT_OF(denials); i++) {
        const struct denial *denial = &denials[i];
        uint32_t action = SCMP_ACT_ERRNO(denial->error);
        result = sbx_filter_add(context, action, denial->name, denial->conditions, denial->count);
    }
    if (result == 0) result = deny_namespaces(context);
    if (result == 0) result = deny_families(context);
    return result == 0 ? deny_protocols(context) : result;
}
