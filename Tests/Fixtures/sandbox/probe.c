// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// One attack, or one ordinary deed, by name; prints "ok" or the name of the errno. Built with cc by the tests.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH (1L << 32)

static char scratch[256] = "/w/probe-scratch";

static int scratch_file(void) {
    return open(scratch, O_RDWR | O_CREAT, 0644);
}

static long fastopen(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    return sendto(s, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to);
}

static long loopback(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 1) != 0) return -1;
    if (getsockname(listener, (struct sockaddr *)&at, &size) != 0) return -1;
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, size);
}

static long outside(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x01010101)};
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof at);
}

static void *nothing(void *argument) { return argument; }

static long thread(void) {
    pthread_t made;
    errno = pthread_create(&made, NULL, nothing, NULL);
    return errno != 0 ? -1 : pthread_join(made, NULL);
}

static long forked(void) {
    int status;
    pid_t child = fork();
    if (child == 0) _exit(0);
    return child < 0 ? -1 : waitpid(child, &status, 0) == child ? 0 : -1;
}

static long own_filter(unsigned int flags) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/// The older way to the same.
static long own_filter_prctl(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/// Gives a socket a filter, by the option `option` of the level `level`.
static long socket_filter(long level, long option) {
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
    struct sock_fprog program = {.len = 1, .filter = &all};
    return syscall(SYS_setsockopt, socket(AF_UNIX, SOCK_DGRAM, 0), level, option, &program, (long)sizeof program);
}

static long reuse_port(void) {
    const int on = 1;
    return setsockopt(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

/// Forks until it can not; the children stay. Prints how many there were.
static long forkbomb(void) {
    long count = 0;
    for (;;) {
        pid_t child = fork();
        if (child < 0) break;
        if (child == 0) { pause(); _exit(0); }
        count++;
    }
    int error = errno;
    printf("%ld ", count);
    errno = error;
    return -1;
}

/// Takes memory until it can not.
static long hog(void) {
    for (long taken = 0; taken < 2048; taken += 16) {
        char *block = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return -1;
        memset(block, 1, 16 << 20);
    }
    return 0;
}

/// A rename between directories of the workspace, which Landlock forbids without the right rule.
static long rename_across(void) {
    mkdir("/w/probe-a", 0755);
    mkdir("/w/probe-b", 0755);
    close(open("/w/probe-a/file", O_CREAT | O_WRONLY, 0644));
    return rename("/w/probe-a/file", "/w/probe-b/file");
}

static struct rlimit none;

/// Limits that would let a process go before others: none, whatever the caller's were.
static long no_priority(void) {
    struct rlimit nice;
    struct rlimit realtime;
    if (getrlimit(RLIMIT_NICE, &nice) != 0 || getrlimit(RLIMIT_RTPRIO, &realtime) != 0) return -1;
    errno = ERANGE;
    return nice.rlim_max == 0 && realtime.rlim_max == 0 ? 0 : -1;
}

static long int80(void) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");  // getpid of i386
    return result;
}

static long high_openat(void) {
    return syscall(SYS_openat, AT_FDCWD, scratch, (long)(O_CREAT | O_WRONLY) | HIGH, 04755L | HIGH);
}

/// Those of taking.c and queues.c; -2 when `name` is none of them.
long taking(const char *name);
long queues(const char *name);

static long run(const char *name) {
    long taken = taking(name);
    if (taken != -2) return taken;
    long queued = queues(name);
    if (queued != -2) return queued;
#define PROBE(text, expression) if (strcmp(name, text) == 0) return (long)(expression)
    PROBE("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
    PROBE("umount2", syscall(SYS_umount2, "/proc", 2));
    PROBE("pivot_root", syscall(SYS_pivot_root, "/", "/"));
    PROBE("chroot", chroot("/tmp"));
    PROBE("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
    PROBE("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/tmp", AT_FDCWD, "/w", 0));
    PROBE("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    PROBE("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0));
    PROBE("unshare_user", syscall(SYS_unshare, CLONE_NEWUSER));
    PROBE("unshare_net", syscall(SYS_unshare, CLONE_NEWNET));
    PROBE("unshare_user_high", syscall(SYS_unshare, CLONE_NEWUSER | HIGH));
    PROBE("setns", syscall(SYS_setns, 0, 0));
    PROBE("clone_newuser", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    PROBE("clone_newns", syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
    PROBE("clone_newpid_high", syscall(SYS_clone, CLONE_NEWPID | SIGCHLD | HIGH, 0, 0, 0, 0));
    PROBE("clone3", syscall(SYS_clone3, NULL, 0));
    PROBE("ptrace", syscall(SYS_ptrace, 0, 0, 0, 0));
    PROBE("process_vm_readv", syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
    PROBE("pidfd_getfd", syscall(SYS_pidfd_getfd, 0, 0, 0));
    PROBE("kcmp", syscall(SYS_kcmp, 1, 1, 0, 0, 0));
    PROBE("keyctl", syscall(SYS_keyctl, 0, -3, 0));
    PROBE("add_key", syscall(SYS_add_key, "user", "a", "b", 1, -3));
    PROBE("request_key", syscall(SYS_request_key, "user", "a", NULL, 0));
    PROBE("bpf", syscall(SYS_bpf, 0, NULL, 0));
    PROBE("perf", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    PROBE("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
    PROBE("userfaultfd", syscall(SYS_userfaultfd, 0));
    PROBE("name_to_handle", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0));
    PROBE("open_by_handle", syscall(SYS_open_by_handle_at, 3, NULL, 0));
    PROBE("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    PROBE("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    PROBE("init_module", syscall(SYS_init_module, NULL, 0, ""));
    PROBE("syslog", syscall(SYS_syslog, 10, NULL, 0));
    PROBE("sethostname", syscall(SYS_sethostname, "x", 1));
    PROBE("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
    PROBE("swapon", syscall(SYS_swapon, "/w", 0));
    PROBE("fanotify", syscall(SYS_fanotify_init, 0, 0));
    PROBE("acct", syscall(SYS_acct, "/w/acct"));
    PROBE("unknown", syscall(9999));
    PROBE("io_setup", syscall(SYS_io_setup, 1, NULL));
    PROBE("openat2", syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0));
    PROBE("personality_exec", syscall(SYS_personality, 0x0400000));
    PROBE("personality_query", syscall(SYS_personality, 0xffffffffL) >= 0 ? 0 : -1);
    PROBE("vsock", socket(40, SOCK_STREAM, 0));
    PROBE("vsock_high", syscall(SYS_socket, 40 | HIGH, (long)SOCK_STREAM, 0));
    PROBE("packet", socket(17, SOCK_RAW, 0));
    PROBE("alg", socket(38, SOCK_SEQPACKET, 0));
    PROBE("raw", socket(AF_INET, SOCK_RAW, 0));
    PROBE("raw6", socket(AF_INET6, SOCK_RAW, 58));
    PROBE("sctp", socket(AF_INET, SOCK_STREAM, 132));
    PROBE("mptcp", socket(AF_INET, SOCK_STREAM, 262));
    PROBE("mptcp_high", syscall(SYS_socket, 2L, (long)SOCK_STREAM, 262 | HIGH));
    PROBE("netlink_audit", socket(AF_NETLINK, SOCK_RAW, 9));
    PROBE("netlink_netfilter", socket(AF_NETLINK, SOCK_RAW, 12));
    PROBE("netlink_route", socket(AF_NETLINK, SOCK_RAW, 0) >= 0 ? 0 : -1);
    PROBE("fastopen", fastopen());
    PROBE("outside", outside());
    PROBE("loopback", loopback());
    PROBE("unix", socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : -1);
    PROBE("udp", socket(AF_INET6, SOCK_DGRAM, 0) >= 0 ? 0 : -1);
    PROBE("tiocsti", ioctl(0, TIOCSTI, "x"));
    PROBE("tiocsti_high", syscall(SYS_ioctl, 0, TIOCSTI | HIGH, "x"));
    PROBE("tioclinux", ioctl(0, TIOCLINUX, "x"));
    PROBE("fionread", ioctl(scratch_file(), FIONREAD, scratch));
    PROBE("lease", fcntl(scratch_file(), 1024, F_RDLCK));
    PROBE("lock", fcntl(scratch_file(), F_GETFL) >= 0 ? 0 : -1);
    PROBE("listener", own_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER));
    PROBE("own_filter", own_filter(0));
    PROBE("own_filter_high", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER | HIGH, 0, NULL));
    PROBE("own_filter_prctl", own_filter_prctl());
    PROBE("ask_filter_action", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &(int){SECCOMP_RET_TRAP}));
    PROBE("socket_filter", socket_filter(SOL_SOCKET, SO_ATTACH_FILTER));
    PROBE("socket_filter_high", socket_filter(SOL_SOCKET | HIGH, SO_ATTACH_FILTER | HIGH));
    PROBE("socket_bpf", socket_filter(SOL_SOCKET, SO_ATTACH_BPF));
    PROBE("reuse_filter", socket_filter(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF));
    PROBE("reuse_bpf", socket_filter(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF));
    PROBE("reuse_port", reuse_port());
    PROBE("fchmod_suid", fchmod(scratch_file(), 04755));
    PROBE("chmod_suid_high", (scratch_file(), syscall(SYS_chmod, scratch, 04755L | HIGH)));
    PROBE("openat_suid", open("/w/suid", O_CREAT | O_WRONLY, 04755));
    PROBE("openat_suid_high", high_openat());
    PROBE("chmod_plain", fchmod(scratch_file(), 0755));
    PROBE("mknod_device", mknod("/w/device", S_IFCHR | 0666, 0x103));
    PROBE("mkfifo", mknod("/w/fifo", S_IFIFO | 0666, 0));
    PROBE("int80", int80());
    PROBE("x32", syscall(0x40000000 | 39));
    PROBE("fork", forked());
    PROBE("thread", thread());
    PROBE("memfd", memfd_create("x", 0) >= 0 ? 0 : -1);
    PROBE("rename_across", rename_across());
    PROBE("setuid_root", setuid(0));
    PROBE("kill_init", kill(1, SIGKILL));
    PROBE("signal_self", kill(getpid(), 0));
    PROBE("bounding_empty", prctl(PR_CAPBSET_READ, 21) == 0 ? 0 : -1);
    PROBE("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
    PROBE("limit_init", syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, &none, NULL));
    PROBE("limit_core_and_ask", prlimit(0, RLIMIT_CORE, &none, &(struct rlimit){0}));
    PROBE("limit_self", setrlimit(RLIMIT_CORE, &none));
    PROBE("ask_limit", syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, NULL, &none));
    PROBE("no_priority", no_priority());
    PROBE("realtime", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}));
    PROBE("nice_up", setpriority(PRIO_PROCESS, 0, -1));
    PROBE("tmpfile_suid", open("/w", O_TMPFILE | O_RDWR, 04755));
    PROBE("forkbomb", forkbomb());
    PROBE("hog", hog());
    fprintf(stderr, "no probe %s\n", name);
    exit(64);
}

int main(int count, char **values) {
    setvbuf(stdout, NULL, _IONBF, 0);
    long result = run(count > 1 ? values[1] : "");
    int error = errno;
    puts(result >= 0 ? "ok" : strerrorname_np(error));
    return result >= 0 ? 0 : 1;
}
