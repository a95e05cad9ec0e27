// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Filter A: the calls that exist. What is refused with an error of its own stands here too, as filter B decides it:
// a call that A does not know could not be observed later.

#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "filter.h"
#include "refusals.h"

static const char *const files[] = {
    "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3",
    "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchown", "fchownat", "fcntl",
    "fdatasync", "fgetxattr", "flistxattr", "flock", "fremovexattr", "fsetxattr", "fstat", "fstatfs", "fsync",
    "ftruncate", "futimesat", "getcwd", "getdents", "getdents64", "getxattr", "inotify_add_watch", "inotify_init",
    "inotify_init1", "inotify_rm_watch", "ioctl", "lchown", "lgetxattr", "link", "linkat", "listxattr", "llistxattr",
    "lremovexattr", "lseek", "lsetxattr", "lstat", "memfd_create", "mkdir", "mkdirat", "mknod", "mknodat",
    "newfstatat", "open", "openat", "pipe", "pipe2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev",
    "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "removexattr", "rename", "renameat",
    "renameat2", "rmdir", "sendfile", "setxattr", "splice", "stat", "statfs", "statx", "symlink", "symlinkat", "sync",
    "sync_file_range", "syncfs", "tee", "truncate", "umask", "unlink", "unlinkat", "utime", "utimensat", "utimes",
    "vmsplice", "write", "writev",
};

static const char *const processes[] = {
    "arch_prctl", "capget", "capset", "clone", "execve", "execveat", "exit", "exit_group", "fork", "get_robust_list",
    "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
    "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "ioprio_get", "ioprio_set",
    "kill", "membarrier", "pidfd_open", "pidfd_send_signal", "prctl", "restart_syscall", "rseq",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
    "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity", "sched_setattr", "sched_setparam",
    "sched_setscheduler", "sched_yield", "set_robust_list", "set_tid_address", "setfsgid", "setfsuid", "setgid",
    "setgroups", "setpgid", "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setrlimit", "setsid",
    "setuid", "sysinfo", "tgkill", "times", "tkill", "uname", "vfork", "wait4", "waitid",
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "seccomp",
};

static const char *const memory_and_time[] = {
    "alarm", "brk", "clock_getres", "clock_gettime", "clock_nanosleep", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "futex", "futex_waitv", "get_mempolicy",
    "getitimer", "getrandom", "gettimeofday", "madvise", "mincore", "mlock", "mlock2", "mlockall", "mmap", "mprotect",
    "mremap", "msync", "munlock", "munlockall", "munmap", "nanosleep", "pause", "pkey_alloc", "pkey_free",
    "pkey_mprotect", "poll", "ppoll", "pselect6", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "select", "setitimer",
    "sigaltstack", "signalfd", "signalfd4", "time", "timer_create", "timer_delete", "timer_getoverrun",
    "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime", "timerfd_settime",
};

static const char *const messages[] = {
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "mq_getsetattr",
    "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd",
    "recvfrom", "recvmmsg", "recvmsg", "semctl", "semget", "semop", "semtimedop", "sendmmsg", "sendmsg", "sendto",
    "setsockopt", "shmat", "shmctl", "shmdt", "shmget", "shutdown",
};

/// Refused by filter B, each with its error; they are here so that B decides.
static const char *const decided_by_b[] = {
    "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
    "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter",
    "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl",
    "mount", "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open",
    "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl",
    "reboot", "request_key", "setdomainname", "sethostname", "setns", "settimeofday", "swapoff", "swapon", "syslog",
    "umount2", "unshare", "userfaultfd", "vhangup",
};

/// Those that filter B refuses, as it decides them: other families and protocols do not exist.
static int leave_sockets(scmp_filter_ctx context) {
    for (size_t i = 0; i < sbx_refusal_count; i++) {
        const struct sbx_refusal *refusal = &sbx_refusals[i];
        if (refusal->number != __NR_socket) continue;
        int result = sbx_filter_add_refusal(context, SCMP_ACT_ALLOW, refusal);
        if (result != 0) return result;
    }
    return 0;
}

/// Local sockets, TCP and UDP, and the interface list; by family, and where it matters by protocol.
static int allow_sockets(scmp_filter_ctx context) {
    const uint32_t internet[] = {AF_INET, AF_INET6};
    const uint32_t protocols[] = {0, 6, 17};  // the default, TCP, UDP
    const struct scmp_arg_cmp local[] = {SBX_INT(0, AF_UNIX)};
    const struct scmp_arg_cmp route[] = {SBX_INT(0, AF_NETLINK), SBX_INT(2, 0)};
    int result = sbx_filter_add(context, SCMP_ACT_ALLOW, "socket", local, 1);
    if (result == 0) result = sbx_filter_add(context, SCMP_ACT_ALLOW, "socketpair", local, 1);
    if (result == 0) result = sbx_filter_add(context, SCMP_ACT_ALLOW, "socket", route, 2);
    for (size_t i = 0; result == 0 && i < SBX_COUNT_OF(internet) * SBX_COUNT_OF(protocols); i++) {
        const struct scmp_arg_cmp rule[] = {SBX_INT(0, internet[i % 2]), SBX_INT(2, protocols[i / 2])};
        result = sbx_filter_add(context, SCMP_ACT_ALLOW, "socket", rule, 2);
    }
    return result == 0 ? leave_sockets(context) : result;
}

/// Limits are changed by whom they bind, and asked of anybody: as an ordinary user the init is of the step's own user,
/// and would have to take what it is given.
static int allow_limits(scmp_filter_ctx context) {
    const struct scmp_arg_cmp own[] = {SBX_INT(0, 0)};
    const struct scmp_arg_cmp ask[] = {{2, SCMP_CMP_EQ, 0, 0}};  // a pointer: all 64 bits count
    int result = sbx_filter_add(context, SCMP_ACT_ALLOW, "prlimit64", own, 1);
    return result == 0 ? sbx_filter_add(context, SCMP_ACT_ALLOW, "prlimit64", ask, 1) : result;
}

/// The ordinary personality, asking for it, and the one without address randomisation that compilers re-execute with.
static int allow_personality(scmp_filter_ctx context) {
    const uint32_t values[] = {0, 0xffffffffU, 0x0040000};
    for (size_t i = 0; i < SBX_COUNT_OF(values); i++) {
        const struct scmp_arg_cmp rule[] = {SBX_INT(0, values[i])};
        int result = sbx_filter_add(context, SCMP_ACT_ALLOW, "personality", rule, 1);
        if (result != 0) return result;
    }
    return 0;
}

int sbx_filter_fill_allow(scmp_filter_ctx context, enum sbx_profile profile) {
    int result = sbx_filter_add_names(context, SCMP_ACT_ALLOW, files, SBX_COUNT_OF(files));
    if (result == 0 && profile == SBX_PROFILE_TOOL) {
        result = sbx_filter_add(context, SCMP_ACT_ALLOW, "openat2", NULL, 0);
    }
    if (result == 0) result = sbx_filter_add_names(context, SCMP_ACT_ALLOW, processes, SBX_COUNT_OF(processes));
    if (result == 0) {
        result = sbx_filter_add_names(context, SCMP_ACT_ALLOW, memory_and_time, SBX_COUNT_OF(memory_and_time));
    }
    if (result == 0) result = sbx_filter_add_names(context, SCMP_ACT_ALLOW, messages, SBX_COUNT_OF(messages));
    if (result == 0) result = sbx_filter_add_names(context, SCMP_ACT_ALLOW, decided_by_b, SBX_COUNT_OF(decided_by_b));
    if (result == 0) result = allow_sockets(context);
    if (result == 0) result = allow_limits(context);
    return result == 0 ? allow_personality(context) : result;
}
