// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Steps 11 to 13: what a fresh process inherits.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"

/// By the call itself, as glibc's functions want an enum of its own and others an int.
static int set_limit(int resource, const struct rlimit *wanted, struct rlimit *now) {
    return (int)syscall(SYS_prlimit64, 0, resource, wanted, now);
}

struct wanted_limit {
    int resource;
    uint64_t soft;
    uint64_t hard;
};

/// What the kernel counts for the user outside too, whom the sandboxes and Drydock itself may share: each sandbox gets
/// a part of it. All processes of a sandbox count together (by user namespace, Linux 5.14).
struct shared_limit {
    int resource;
    uint64_t most;
    /// One part of so many.
    uint64_t part;
};

static const struct shared_limit shared[] = {
    // POSIX timers too: each has a signal waiting for it.
    {RLIMIT_SIGPENDING, 1024, 8},
    // Two queues as mq_open makes them by default.
    {RLIMIT_MSGQUEUE, 200U << 10, 4},
    {RLIMIT_MEMLOCK, 1U << 20, 8},
};

/// Before the namespace of the step is made, which keeps them as its own maximum.
int sbx_share_limits(void) {
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        struct rlimit limit;
        if (set_limit(shared[i].resource, NULL, &limit) != 0) return -errno;
        uint64_t most = limit.rlim_max == RLIM_INFINITY ? shared[i].most : limit.rlim_max / shared[i].part;
        limit.rlim_max = most < shared[i].most ? most : shared[i].most;
        limit.rlim_cur = limit.rlim_max;
        if (set_limit(shared[i].resource, &limit, NULL) != 0) return -errno;
    }
    return 0;
}

static int set_limits(const struct sbx_context *context) {
    const struct sbx_limits *limits = &context->spec->limits;
    const uint64_t mebibyte = 1U << 20;
    // Counted for each user of each user namespace (Linux 5.14), so for this sandbox alone, even without cgroups.
    // With one that is reached first, as its denials are counted and can be told.
    uint64_t processes = limits->processes + ((context->cgroup.limits & SBX_LIMIT_PROCESSES) != 0 ? 16 : 0);
    const struct wanted_limit wanted[] = {
        {RLIMIT_NOFILE, limits->open_files, limits->open_files},
        {RLIMIT_NPROC, processes, processes},
        {RLIMIT_FSIZE, limits->file_size_bytes, limits->file_size_bytes},
        // A handler that core_pattern pipes to would run as the host's root, on memory of the build. 0 does not stop
        // that, this does (man 5 core); filter B lets nobody change it.
        {RLIMIT_CORE, 1, 1},
        // Nothing inside may go before the processes of the host, whatever its user may.
        {RLIMIT_RTPRIO, 0, 0},
        {RLIMIT_NICE, 0, 0},
        {RLIMIT_STACK, 8 * mebibyte, 64 * mebibyte},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct rlimit limit;
        if (set_limit(wanted[i].resource, NULL, &limit) != 0) return -errno;
        // A tighter limit of the host stays: an ordinary user could not raise it, and the step needs no more rights.
        if (wanted[i].hard < limit.rlim_max) limit.rlim_max = wanted[i].hard;
        limit.rlim_cur = wanted[i].soft < limit.rlim_max ? wanted[i].soft : limit.rlim_max;
        if (set_limit(wanted[i].resource, &limit, NULL) != 0) return -errno;
    }
    // Without a cgroup this bounds each process. Not RLIMIT_AS: runtimes reserve far more than they use.
    struct rlimit data = {.rlim_cur = limits->memory_bytes, .rlim_max = limits->memory_bytes};
    int grouped = (context->cgroup.limits & SBX_LIMIT_MEMORY) != 0;
    return !grouped && set_limit(RLIMIT_DATA, &data, NULL) != 0 ? -errno : 0;
}

static int reset_signals(void) {
    // The kernel's own struct, all zero: the default. Not by glibc, which refuses 32 and 33: ignored by our caller, they
    // would stay so, and no thread inside could be cancelled.
    const uint64_t standard[4] = {0};
    sigset_t none;
    for (int number = 1; number <= 64; number++) {
        int changes = number != SIGKILL && number != SIGSTOP;
        if (changes && syscall(SYS_rt_sigaction, number, standard, NULL, sizeof standard[0]) != 0) return -errno;
    }
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) != 0 ? -errno : 0;
}

/// Step 11. A session of its own, so that no terminal of the host can be its controlling one.
int sbx_make_session(struct sbx_context *context) {
    if (setsid() < 0) return -errno;
    umask(022);
    int result = reset_signals();
    if (result == 0) result = set_limits(context);
    if (result != 0) return result;
    // As the step's own user: the directory must be one that it may be in.
    return context->spec->working_directory == NULL || chdir(context->spec->working_directory) != 0 ? -errno : 0;
}

/// Step 12. The spec's environment is all there is; what the jail itself was given is never looked at again.
int sbx_check_environment(struct sbx_context *context) {
    return context->spec->envp == NULL || context->spec->argv == NULL ? -EINVAL : 0;
}

static int place(int *descriptor, int number) {
    if (*descriptor == number) return 0;
    if (dup3(*descriptor, number, O_CLOEXEC) < 0) return -errno;
    *descriptor = number;
    return 0;
}

/// Step 13. Late, so that nothing opened on the way stays but what exec closes: 3 is the status pipe, 4 what step 17 hands
/// the listener over by.
int sbx_close_descriptors(struct sbx_context *context) {
    // One may lie where the other is to go.
    int pair = fcntl(context->pair_step, F_DUPFD_CLOEXEC, 5);
    if (pair < 0) return -errno;
    context->pair_step = pair;
    int result = place(&context->status_write, 3);
    if (result == 0) result = place(&context->pair_step, 4);
    if (result != 0) return result;
    return sbx_close_range(5, ~0U) != 0 ? -errno : 0;
}
