// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Each is a door to the machine, to other processes, or to a large and young part of the kernel.

#include "refusals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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
    KIND_MASK = 0xf,
};

#define INT(argument, value) {(argument), 0xffffffffU, (uint32_t)(value)}
#define BITS(argument, value) {(argument), (uint32_t)(value), (uint32_t)(value)}
#define KIND(value) {1, KIND_MASK, (value)}
#define FORMAT(argument, value) {(argument), S_IFMT, (value)}

/// A call that is refused whatever its arguments are.
#define CALL(call) {#call, __NR_##call, EPERM, SBX_NOTICE_INIT, 0, 0, {{0, 0, 0}}}
/// One that looks into other processes.
#define TRACING(call) {#call, __NR_##call, EPERM, SBX_NOTICE_INIT, 1, 0, {{0, 0, 0}}}
#define TOLD1(call, error, first) {#call, __NR_##call, (error), SBX_NOTICE_INIT, 0, 1, {first}}
#define TOLD2(call, error, first, second) {#call, __NR_##call, (error), SBX_NOTICE_INIT, 0, 2, {first, second}}
#define QUIET1(call, error, first) {#call, __NR_##call, (error), SBX_NOTICE_NONE, 0, 1, {first}}
#define QUIET2(call, error, first, second) {#call, __NR_##call, (error), SBX_NOTICE_NONE, 0, 2, {first, second}}
/// A family that filter A does not know either: AF_VSOCK is not even bounded by a network namespace.
#define FAMILY(family) TOLD1(socket, EAFNOSUPPORT, INT(0, family))
/// A kind of socket beside streams and datagrams.
#define KINDS(kind) \
    TOLD2(socket, ESOCKTNOSUPPORT, INT(0, AF_INET), KIND(kind)), TOLD2(socket, ESOCKTNOSUPPORT, INT(0, AF_INET6), KIND(kind))
/// A protocol beside TCP and UDP.
#define PROTOCOL(number) \
    TOLD2(socket, EPROTONOSUPPORT, INT(0, AF_INET), INT(2, number)), TOLD2(socket, EPROTONOSUPPORT, INT(0, AF_INET6), INT(2, number))
/// What netlink tells beside routes.
#define NETLINK(number) TOLD2(socket, EPROTONOSUPPORT, INT(0, AF_NETLINK), INT(2, number))
/// One bit is enough.
#define NAMESPACE(flag) TOLD1(clone, EPERM, BITS(0, flag))

const struct sbx_refusal sbx_refusals[] = {
    CALL(acct), CALL(add_key), CALL(adjtimex), CALL(bpf), CALL(chroot), CALL(clock_adjtime), CALL(clock_settime),
    CALL(delete_module), CALL(fanotify_init), CALL(finit_module), CALL(fsconfig), CALL(fsmount), CALL(fsopen),
    CALL(fspick), CALL(init_module), CALL(io_uring_enter), CALL(io_uring_register), CALL(io_uring_setup),
#ifdef __x86_64__
    CALL(ioperm), CALL(iopl),
#endif
    CALL(kexec_file_load), CALL(kexec_load), CALL(keyctl), CALL(mount), CALL(mount_setattr), CALL(move_mount),
    CALL(name_to_handle_at), CALL(open_by_handle_at), CALL(open_tree), CALL(perf_event_open), CALL(pivot_root),
    CALL(quotactl), CALL(reboot), CALL(request_key), CALL(setdomainname), CALL(sethostname), CALL(setns),
    CALL(settimeofday), CALL(swapoff), CALL(swapon), CALL(syslog), CALL(umount2), CALL(unshare), CALL(userfaultfd),
    CALL(vhangup),

    TRACING(kcmp), TRACING(pidfd_getfd), TRACING(process_madvise), TRACING(process_vm_readv),
    TRACING(process_vm_writev), TRACING(ptrace),

    NAMESPACE(CLONE_NEWNS), NAMESPACE(CLONE_NEWCGROUP), NAMESPACE(CLONE_NEWUTS), NAMESPACE(CLONE_NEWIPC),
    NAMESPACE(CLONE_NEWUSER), NAMESPACE(CLONE_NEWPID), NAMESPACE(CLONE_NEWNET),

    // Input pushed into a terminal, which might be shared with a shell outside.
    TOLD1(ioctl, EPERM, INT(1, TIOCSTI)), TOLD1(ioctl, EPERM, INT(1, TIOCLINUX)),
    TOLD1(ioctl, EPERM, INT(1, LINE_DISCIPLINE)),
    // A connection made by sending passes rules that look at connect.
    QUIET1(sendto, EOPNOTSUPP, BITS(3, MESSAGE_FASTOPEN)), QUIET1(sendmsg, EOPNOTSUPP, BITS(2, MESSAGE_FASTOPEN)),
    QUIET1(sendmmsg, EOPNOTSUPP, BITS(3, MESSAGE_FASTOPEN)),
    QUIET2(setsockopt, ENOPROTOOPT, INT(1, 6), INT(2, OPTION_FASTOPEN)),
    QUIET2(setsockopt, ENOPROTOOPT, INT(1, 6), INT(2, OPTION_FASTOPEN_CONNECT)),
    QUIET2(setsockopt, ENOPROTOOPT, INT(1, 6), INT(2, OPTION_ULP)),
    // A lease holds up whoever opens the file outside.
    TOLD1(fcntl, EPERM, INT(1, F_SETLEASE)), TOLD1(fcntl, EPERM, INT(1, F_NOTIFY)),
    // Filters are compiled into memory of the machine's that no group counts, of which there is little: when it is used up
    // no other sandbox starts. As on a kernel without them, as which programs go on; listeners go with them, which could
    // answer calls in another process's name.
    TOLD1(seccomp, EINVAL, INT(0, SECCOMP_SET_MODE_FILTER)),
    TOLD2(prctl, EINVAL, INT(0, PR_SET_SECCOMP), INT(1, SECCOMP_MODE_FILTER)),
    TOLD2(setsockopt, EPERM, INT(1, SOL_SOCKET), INT(2, SO_ATTACH_FILTER)),
    TOLD2(setsockopt, EPERM, INT(1, SOL_SOCKET), INT(2, SO_ATTACH_BPF)),
    TOLD2(setsockopt, EPERM, INT(1, SOL_SOCKET), INT(2, SO_ATTACH_REUSEPORT_CBPF)),
    TOLD2(setsockopt, EPERM, INT(1, SOL_SOCKET), INT(2, SO_ATTACH_REUSEPORT_EBPF)),
    // Answered as done and not done: sockets.c counts on every socket's having the machine's default.
    QUIET2(setsockopt, 0, INT(1, SOL_SOCKET), INT(2, SO_RCVBUF)),
    QUIET2(setsockopt, 0, INT(1, SOL_SOCKET), INT(2, SO_SNDBUF)),
    // Huge pages are set aside for the machine, and no memory limit counts them. As where there are none.
    QUIET1(mmap, ENOMEM, BITS(3, MAP_HUGE)), QUIET1(memfd_create, EINVAL, BITS(1, MEMFD_HUGE)),
    QUIET1(shmget, EPERM, BITS(2, SHARED_MEMORY_HUGE)),
    // Answered as done and not done, as `ulimit -c 0` must not fail: session.c tells why 1 has to stay.
    QUIET1(setrlimit, 0, INT(0, RLIMIT_CORE)),

    // Files that would change the identity of whoever runs them, wherever they are copied to.
#ifdef __x86_64__
    TOLD1(chmod, EPERM, BITS(1, S_ISUID)), TOLD1(creat, EPERM, BITS(1, S_ISUID)),
    TOLD2(open, EPERM, BITS(1, O_CREAT), BITS(2, S_ISUID)), TOLD2(open, EPERM, BITS(1, OPEN_TEMPORARY), BITS(2, S_ISUID)),
    TOLD1(mknod, EPERM, BITS(1, S_ISUID)), TOLD1(mknod, EPERM, FORMAT(1, S_IFCHR)), TOLD1(mknod, EPERM, FORMAT(1, S_IFBLK)),
#endif
    TOLD1(fchmod, EPERM, BITS(1, S_ISUID)), TOLD1(fchmodat, EPERM, BITS(2, S_ISUID)),
    TOLD2(openat, EPERM, BITS(2, O_CREAT), BITS(3, S_ISUID)),
    TOLD2(openat, EPERM, BITS(2, OPEN_TEMPORARY), BITS(3, S_ISUID)),
    TOLD1(mknodat, EPERM, BITS(2, S_ISUID)), TOLD1(mknodat, EPERM, FORMAT(2, S_IFCHR)),
    TOLD1(mknodat, EPERM, FORMAT(2, S_IFBLK)),

    FAMILY(0), FAMILY(3), FAMILY(4), FAMILY(5), FAMILY(6), FAMILY(7), FAMILY(8), FAMILY(9), FAMILY(11), FAMILY(12),
    FAMILY(13), FAMILY(14), FAMILY(15), FAMILY(17), FAMILY(18), FAMILY(19), FAMILY(20), FAMILY(21), FAMILY(22),
    FAMILY(23), FAMILY(24), FAMILY(25), FAMILY(26), FAMILY(27), FAMILY(28), FAMILY(29), FAMILY(30), FAMILY(31),
    FAMILY(32), FAMILY(33), FAMILY(34), FAMILY(35), FAMILY(36), FAMILY(37), FAMILY(38), FAMILY(39), FAMILY(40),
    FAMILY(41), FAMILY(42), FAMILY(43), FAMILY(44), FAMILY(45), FAMILY(46), FAMILY(47),
    KINDS(SOCK_RAW), KINDS(SOCK_SEQPACKET), KINDS(SOCK_DCCP), KINDS(SOCK_PACKET),
    // ICMP, DCCP, ICMPv6, L2TP, SCTP, UDP-Lite, raw IP, MPTCP.
    PROTOCOL(1), PROTOCOL(33), PROTOCOL(58), PROTOCOL(115), PROTOCOL(132), PROTOCOL(136), PROTOCOL(255), PROTOCOL(262),
    NETLINK(1), NETLINK(2), NETLINK(3), NETLINK(4), NETLINK(5), NETLINK(6), NETLINK(7), NETLINK(8), NETLINK(9),
    NETLINK(10), NETLINK(11), NETLINK(12), NETLINK(13), NETLINK(14), NETLINK(15), NETLINK(16), NETLINK(17),
    NETLINK(18), NETLINK(19), NETLINK(20), NETLINK(21), NETLINK(22), NETLINK(23),
};

const size_t sbx_refusal_count = sizeof sbx_refusals / sizeof sbx_refusals[0];

const char *sbx_refusal_name(int number) {
    for (size_t i = 0; i < sbx_refusal_count; i++) {
        if (sbx_refusals[i].number == number) return sbx_refusals[i].name;
    }
    return NULL;
}

static int holds(const struct sbx_refusal *refusal, const uint64_t *arguments) {
    for (uint32_t i = 0; i < refusal->count; i++) {
        const struct sbx_condition *condition = &refusal->conditions[i];
        if (((uint32_t)arguments[condition->argument] & condition->mask) != condition->value) return 0;
    }
    return 1;
}

int sbx_refusal_error(int number, const uint64_t *arguments) {
    for (size_t i = 0; i < sbx_refusal_count; i++) {
        if (sbx_refusals[i].number == number && holds(&sbx_refusals[i], arguments)) return sbx_refusals[i].error;
    }
    return EPERM;
}
