// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Ways into the kernel's depths, to other namespaces and to the network.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks.h"

enum outcome must_fail(long result) { return result < 0 ? HELD : BREACH; }

enum outcome must_not_open(int descriptor) {
    if (descriptor < 0) return HELD;
    close(descriptor);
    return BREACH;
}

static enum outcome user_namespace(void) { return must_fail(unshare(CLONE_NEWUSER)); }

static enum outcome mount_namespace(void) { return must_fail(unshare(CLONE_NEWNS)); }

static enum outcome cloned_namespace(void) {
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    if (child > 0) waitpid((pid_t)child, NULL, 0);
    return must_fail(child);
}

static enum outcome others_namespace(void) {
    int other = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
    // Already to be let look at it would be a beginning.
    return other < 0 ? HELD : must_fail(setns(other, CLONE_NEWNS));
}

static enum outcome mounting(void) {
    char place[] = "/tmp/drydock-probe-XXXXXX";
    if (mkdtemp(place) == NULL) return UNSURE;
    int result = mount("none", place, "tmpfs", 0, NULL);
    if (result == 0) umount2(place, MNT_DETACH);
    rmdir(place);
    return must_fail(result);
}

/// Of the toolchain, which is read-only to begin with.
static enum outcome remounting(void) {
    struct statvfs seen;
    if (statvfs("/usr", &seen) != 0) return UNSURE;
    if ((seen.f_flag & ST_RDONLY) == 0) return BREACH;
    return must_fail(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static enum outcome tree_of_mounts(void) { return must_not_open((int)syscall(SYS_open_tree, AT_FDCWD, "/", 1)); }

static enum outcome another_root(void) { return must_fail(syscall(SYS_chroot, "/tmp")); }

static enum outcome tracing(void) { return must_fail(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }

static enum outcome others_memory(void) {
    char byte;
    struct iovec here = {.iov_base = &byte, .iov_len = 1};
    struct iovec there = {.iov_base = &byte, .iov_len = 1};
    return must_fail(process_vm_readv(1, &here, 1, &there, 1, 0));
}

static enum outcome keys(void) { return must_fail(syscall(SYS_add_key, "user", "drydock", "x", 1, -3)); }

static enum outcome bpf_map(void) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return must_not_open((int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

static enum outcome performance_events(void) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .exclude_kernel = 1};
    return must_not_open((int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static enum outcome io_ring(void) {
    char parameters[120] = {0};
    return must_not_open((int)syscall(SYS_io_uring_setup, 1, parameters));
}

static enum outcome page_faults(void) { return must_not_open((int)syscall(SYS_userfaultfd, O_CLOEXEC | 1)); }

static enum outcome kernel_log(void) { return must_fail(syscall(SYS_syslog, 10, NULL, 0)); }

static enum outcome modules(void) { return must_fail(syscall(SYS_init_module, NULL, 0, "")); }

/// To what it is already.
static enum outcome machine_name(void) {
    char name[256] = {0};
    if (gethostname(name, sizeof name - 1) != 0) return UNSURE;
    return must_fail(sethostname(name, strlen(name)));
}

static enum outcome file_handles(void) {
    uint32_t handle[40] = {128};
    int number;
    return must_fail(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", handle, &number, 0));
}

static enum outcome own_filter(void) {
    struct sock_filter instruction = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &instruction};
    return must_fail(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static enum outcome foreign_calls(void) {
#ifdef __x86_64__
    pid_t child = fork();
    if (child < 0) return UNSURE;
    if (child == 0) {
        // getpid of the i386 table.
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "0"(20L) : "memory", "r8", "r9", "r10", "r11");
        _exit(result > 0 ? 0 : 1);
    }
    int status;
    if (waitpid(child, &status, 0) != child) return UNSURE;
    // A kernel without the table ends it by SIGSEGV.
    return WIFSIGNALED(status) || WEXITSTATUS(status) != 0 ? HELD : BREACH;
#else
    return must_fail(syscall(9999));
#endif
}

static enum outcome terminal_input(void) { return must_fail(ioctl(0, TIOCSTI, "x")); }

static enum outcome raw_packets(void) { return must_not_open(socket(AF_INET, SOCK_RAW, 1)); }

static enum outcome card_packets(void) { return must_not_open(socket(17, SOCK_DGRAM, 0)); }

static enum outcome virtual_machine_host(void) { return must_not_open(socket(40, SOCK_STREAM, 0)); }

static enum outcome kernel_messages(void) { return must_not_open(socket(AF_NETLINK, SOCK_RAW, 9)); }

/// To an address that is nobody's (RFC 5737).
static enum outcome outside_network(void) {
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xC0000201)};
    int one = socket(AF_INET, SOCK_DGRAM, 0);
    if (one < 0) return UNSURE;
    return must_fail(sendto(one, "x", 1, 0, (struct sockaddr *)&nobody, sizeof nobody));
}

static enum outcome fast_connection(void) {
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = socket(AF_INET, SOCK_STREAM, 0);
    if (one < 0) return UNSURE;
    return sendto(one, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&self, sizeof self) < 0 && errno == EOPNOTSUPP ? HELD : BREACH;
}

const struct attack kernel_attacks[] = {
    {"user-namespace", user_namespace},
    {"mount-namespace", mount_namespace},
    {"cloned-namespace", cloned_namespace},
    {"others-namespace", others_namespace},
    {"mounting", mounting},
    {"remounting", remounting},
    {"tree-of-mounts", tree_of_mounts},
    {"another-root", another_root},
    {"tracing", tracing},
    {"others-memory", others_memory},
    {"keys", keys},
    {"bpf", bpf_map},
    {"performance-events", performance_events},
    {"io-ring", io_ring},
    {"page-faults", page_faults},
    {"kernel-log", kernel_log},
    {"modules", modules},
    {"machine-name", machine_name},
    {"file-handles", file_handles},
    {"own-filter", own_filter},
    {"foreign-calls", foreign_calls},
    {"terminal-input", terminal_input},
    {"raw-packets", raw_packets},
    {"card-packets", card_packets},
    {"virtual-machine-host", virtual_machine_host},
    {"kernel-messages", kernel_messages},
    {"outside-network", outside_network},
    {"fast-connection", fast_connection},
};

const size_t kernel_attack_count = sizeof kernel_attacks / sizeof kernel_attacks[0];
