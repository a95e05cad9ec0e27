// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The parent of one sandbox: starts it, watches it, ends it, and tells how it ended.

#include "sbx_jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail.h"

/// Between two looks at the sockets, in milliseconds: what can be put into them meanwhile is small beside a memory limit,
/// and a look takes some microseconds.
enum { LOOK_INTERVAL = 50 };

/// What the parent watches.
struct watch {
    struct sbx_context *context;
    /// The caller's socket, or -1.
    int control;
    int signals;
    /// When the program was about to be executed, by the monotonic clock; 0 = not yet.
    uint64_t executing;
    /// When everything is killed, by the monotonic clock; 0 = never.
    uint64_t deadline;
    /// When the sockets are counted next, by the monotonic clock; 0 = never again.
    uint64_t look;
    /// Whether all was killed as there were too many.
    int crowded;
    /// The first failure reported from inside; kind 0 = none.
    struct sbx_record failure;
    /// How the main process ended, from the init; kind 0 = not told.
    struct sbx_record ending;
};

static int fail(struct sbx_record *record, int32_t step, int result) {
    sbx_record_init(record, SBX_RECORD_FAILED);
    record->step = step;
    record->error = -result;
    return result;
}

static void tell(const struct watch *watch, const struct sbx_record *record) {
    // A caller that is gone is noticed by the poll; there is nobody to tell otherwise.
    if (watch->control >= 0) sbx_packet_send(watch->control, record);
}

static void kill_all(const struct watch *watch) {
    pidfd_send_signal(watch->context->init_pidfd, SIGKILL, NULL, 0);
    sbx_cgroup_kill(&watch->context->cgroup);
}

static void pass_signal(const struct watch *watch, int signal) {
    struct sbx_record record;
    sbx_record_init(&record, SBX_RECORD_SIGNAL);
    record.signal = signal;
    sbx_packet_send(watch->context->control_parent, &record);
}

/// A record or the end of the status pipe.
static void read_status(struct watch *watch) {
    struct sbx_record record;
    ssize_t count = read(watch->context->status_read, &record, sizeof record);
    if (count < 0 && errno == EINTR) return;
    if (count == (ssize_t)sizeof record) {
        if (record.kind == SBX_RECORD_EXECUTING) {
            watch->executing = record.nanoseconds;
        } else if (record.kind == SBX_RECORD_TIMING) {
            tell(watch, &record);
        } else if (watch->failure.kind == 0) {
            watch->failure = record;
        }
        return;
    }
    sbx_close(&watch->context->status_read);
    if (watch->failure.kind == 0 && watch->executing == 0) {
        // Ended in the middle: killed for want of memory, most likely.
        fail(&watch->failure, SBX_STEP_INIT, -EOWNERDEAD);
    }
    if (watch->failure.kind != 0) {
        kill_all(watch);
        return;
    }
    if ((watch->context->spec->settings.options & SBX_OPTION_TIMINGS) != 0) {
        sbx_record_init(&record, SBX_RECORD_TIMING);
        record.step = SBX_STEP_EXEC;
        record.nanoseconds = sbx_now() - watch->executing;
        tell(watch, &record);
    }
    sbx_record_init(&record, SBX_RECORD_STARTED);
    record.limits = watch->context->cgroup.limits;
    record.landlock = sbx_landlock_version();
    tell(watch, &record);
}

static void read_init(struct watch *watch) {
    struct sbx_record record;
    if (sbx_packet_receive(watch->context->control_parent, &record) != 0) {
        sbx_close(&watch->context->control_parent);
    } else if (record.kind == SBX_RECORD_ENDED) {
        watch->ending = record;
    }
}

static void read_caller(struct watch *watch) {
    struct sbx_record record;
    int result = sbx_packet_receive(watch->control, &record);
    if (result == 0 && record.kind == SBX_RECORD_SIGNAL) {
        pass_signal(watch, record.signal);
        if (record.nanoseconds != 0 && watch->deadline == 0) watch->deadline = sbx_now() + record.nanoseconds;
    } else {
        // Asked to, or the caller is gone: nothing inside may outlive it.
        kill_all(watch);
        if (result != 0) watch->control = -1;
    }
}

static void read_signal(struct watch *watch) {
    struct signalfd_siginfo info;
    if (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info) pass_signal(watch, (int)info.ssi_signo);
}

/// Kills when the deadline has passed, or there are too many sockets. Returns the milliseconds until the next of both,
/// rounded up; -1 without one.
static int attend(struct watch *watch) {
    uint64_t now = sbx_now();
    if (watch->deadline != 0 && now >= watch->deadline) {
        watch->deadline = 0;
        watch->look = 0;
        kill_all(watch);
    }
    if (watch->look != 0 && now >= watch->look) {
        watch->crowded = sbx_sockets_exceed(watch->context);
        watch->look = watch->crowded ? 0 : now + LOOK_INTERVAL * 1000000U;
        if (watch->crowded) kill_all(watch);
    }
    uint64_t next = watch->look != 0 ? watch->look : watch->deadline;
    if (watch->deadline != 0 && watch->deadline < next) next = watch->deadline;
    if (next == 0) return -1;
    uint64_t left = next > now ? (next - now) / 1000000U + 1 : 0;
    return left > 3600000U ? 3600000 : (int)left;
}

/// Watches until the init has ended; it can be reaped then.
static void watch_until_end(struct watch *watch) {
    for (;;) {
        struct pollfd events[] = {
            {.fd = watch->context->init_pidfd, .events = POLLIN},
            {.fd = watch->context->status_read, .events = POLLIN},
            {.fd = watch->context->control_parent, .events = POLLIN},
            {.fd = watch->control, .events = POLLIN},
            {.fd = watch->signals, .events = POLLIN},
        };
        if (poll(events, sizeof events / sizeof events[0], attend(watch)) < 0) continue;
        if (events[1].revents != 0) read_status(watch);
        if (events[2].revents != 0) read_init(watch);
        if (events[3].revents != 0) read_caller(watch);
        if (events[4].revents != 0) read_signal(watch);
        int drained = events[1].revents == 0 && events[2].revents == 0;
        if (events[0].revents != 0 && drained) return;
    }
}

static int make_channels(struct sbx_context *context) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    context->status_read = ends[0];
    context->status_write = ends[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
    context->control_parent = ends[0];
    context->control_init = ends[1];
    return 0;
}

/// Step 1. No libc wrapper: the child goes on here, on a copy of this stack, as after a fork.
static int clone_child(struct sbx_context *context) {
    struct clone_args arguments = {
        // The IPC and cgroup namespaces come later: see sbx_identity_take and sbx_join_cgroup.
        .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_PIDFD
                 | (__u64)CLONE_CLEAR_SIGHAND,
        .pidfd = (__u64)(uintptr_t)&context->init_pidfd,
        .exit_signal = SIGCHLD,
    };
    if (context->cgroup.unified) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (__u64)context->cgroup.directories[0];
    }
    if (context->spec->settings.fault_step == SBX_STEP_CLONE) return -EIO;
    uint64_t begin = sbx_now();
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child < 0) return -errno;
    context->times[SBX_STEP_CLONE] = sbx_now() - begin;
    if (child == 0) sbx_child(context);
    context->init = (pid_t)child;
    return 0;
}

/// A pipe belongs to who made it: as root the step's user could not open it again by /dev/stdout.
static int hand_over_pipes(const struct sbx_context *context) {
    uint32_t owner = context->spec->settings.outside_id;
    for (int stream = 0; context->privileged && stream < 3; stream++) {
        struct stat found;
        struct statfs system;
        if (fstat(stream, &found) != 0) return -errno;
        // One with a name is a file of the host.
        if (fstatfs(stream, &system) != 0) return -errno;
        if (S_ISFIFO(found.st_mode) && system.f_type == PIPEFS_MAGIC && fchown(stream, owner, owner) != 0) return -errno;
    }
    return 0;
}

/// The program's streams are not ours: a pipe must end when the program closes it.
static int give_up_streams(int keep_errors) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return -errno;
    int result = 0;
    for (int stream = 0; stream < (keep_errors ? 2 : 3); stream++) {
        if (dup2(null, stream) < 0) result = -errno;
    }
    close(null);
    return result;
}

static int start(struct watch *watch) {
    struct sbx_context *context = watch->context;
    int result = clone_child(context);
    sbx_close(&context->control_init);
    sbx_close(&context->status_write);
    if (result == 0) result = give_up_streams(watch->control < 0);
    if (result == 0 && (result = sbx_identity_map(context)) != 0) {
        fail(&watch->failure, SBX_STEP_IDENTITY, result);
        kill_all(watch);
        return 0;
    }
    if (result == 0 && (result = sbx_sockets_open(context)) != 0) {
        // One that has ended has no network any more, and tells itself why.
        struct pollfd init = {.fd = context->init_pidfd, .events = POLLIN};
        if (poll(&init, 1, 0) == 1) return 0;
        fail(&watch->failure, SBX_STEP_NETWORK, result);
        kill_all(watch);
        return 0;
    }
    // The child's map files were ours to write because it was born dumpable; from here on nobody may look into us.
    if (result == 0 && prctl(PR_SET_DUMPABLE, 0) != 0) result = -errno;
    // The go: the child waits for its maps.
    if (result == 0) pass_signal(watch, 0);
    watch->look = sbx_now() + LOOK_INTERVAL * 1000000U;
    return result;
}

/// Everything before the child: the parent's steps, in their order.
static int prepare(struct sbx_context *context, struct sbx_record *failure) {
    int32_t fault = (int32_t)context->spec->settings.fault_step;
    int result = 0;
    // 101. An identity inside that is root outside is no identity.
    if (geteuid() == 0 && context->spec->settings.outside_id < 2) result = -EPERM;
    if (result != 0 || fault == SBX_STEP_PARENT_SPEC) return fail(failure, SBX_STEP_PARENT_SPEC, result ? result : -EIO);
    // 102. The limits, before there is anything to limit.
    result = fault == SBX_STEP_PARENT_CGROUP ? -EIO : sbx_cgroup_create(context);
    sbx_bounds_read(context);
    if (result != 0) return fail(failure, SBX_STEP_PARENT_CGROUP, result);
    // 103. As root here, where every path can be reached; an ordinary user's child sees what it sees.
    context->trees = calloc((size_t)context->spec->entry_count + 1, sizeof *context->trees);
    if (context->trees == NULL) return fail(failure, SBX_STEP_PARENT_WORKSPACE, -ENOMEM);
    for (uint32_t i = 0; i < context->spec->entry_count; i++) context->trees[i] = -1;
    result = fault == SBX_STEP_PARENT_WORKSPACE ? -EIO : 0;
    if (result == 0 && context->privileged) result = sbx_trees_clone(context);
    if (result != 0) return fail(failure, SBX_STEP_PARENT_WORKSPACE, result);
    // 104. Close-on-exec, all of them.
    result = fault == SBX_STEP_PARENT_DESCRIPTORS ? -EIO : hand_over_pipes(context);
    if (result == 0) result = make_channels(context);
    return result != 0 ? fail(failure, SBX_STEP_PARENT_DESCRIPTORS, result) : 0;
}

static void reap_init(struct watch *watch, struct sbx_record *record) {
    struct rusage usage;
    while (wait4(watch->context->init, NULL, __WALL, &usage) < 0 && errno == EINTR) {}
    record->cpu_user_us = (uint64_t)usage.ru_utime.tv_sec * 1000000U + (uint64_t)usage.ru_utime.tv_usec;
    record->cpu_system_us = (uint64_t)usage.ru_stime.tv_sec * 1000000U + (uint64_t)usage.ru_stime.tv_usec;
    record->peak_bytes = (uint64_t)usage.ru_maxrss * 1024U;
    record->limits = watch->context->cgroup.limits;
    record->landlock = sbx_landlock_version();
}

static void conclude(struct watch *watch, struct sbx_record *record) {
    sbx_record_init(record, SBX_RECORD_ENDED);
    if (watch->failure.kind != 0) *record = watch->failure;
    if (watch->failure.kind == 0 && watch->ending.kind != 0) {
        record->code = watch->ending.code;
        record->signal = watch->ending.signal;
    } else if (watch->failure.kind == 0) {
        record->signal = SIGKILL;  // the init was killed, by us or for want of memory, and everything with it
    }
    if (watch->crowded && watch->failure.kind == 0) record->error = ENOBUFS;
    reap_init(watch, record);
    sbx_cgroup_usage(&watch->context->cgroup, record);
}

static int open_signals(struct watch *watch) {
    sigset_t passed;
    sigemptyset(&passed);
    const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sigaddset(&passed, numbers[i]);
    if (sigprocmask(SIG_BLOCK, &passed, NULL) != 0) return -errno;
    watch->signals = signalfd(-1, &passed, SFD_CLOEXEC);
    return watch->signals < 0 ? -errno : 0;
}

static void clean_up(struct sbx_context *context) {
    sbx_cgroup_remove(&context->cgroup);
    for (uint32_t i = 0; context->trees != NULL && i < context->spec->entry_count; i++) sbx_close(&context->trees[i]);
    free(context->trees);
    sbx_close(&context->status_read);
    sbx_close(&context->status_write);
    sbx_close(&context->control_parent);
    sbx_close(&context->control_init);
    sbx_close(&context->init_pidfd);
    sbx_close(&context->sockets.totals);
    sbx_close(&context->sockets.protocols);
}

int sbx_jail_run(const struct sbx_spec *spec, const struct sbx_filter_set *filters, int control,
                 struct sbx_record *ending) {
    struct sbx_context context = {
        .spec = spec, .filters = filters, .privileged = geteuid() == 0,
        .cgroup = {.directories = {-1, -1, -1}, .parents = {-1, -1, -1}, .joins = {-1, -1, -1}},
        .sockets = {.totals = -1, .protocols = -1},
        .status_read = -1, .status_write = -1, .control_parent = -1, .control_init = -1, .pair_init = -1,
        .pair_step = -1, .root = -1, .namespace_limit = -1, .init = -1, .init_pidfd = -1,
    };
    struct watch watch = {.context = &context, .control = control, .signals = -1};
    // Nobody may look into this process, which holds the host's descriptors.
    int result = prctl(PR_SET_DUMPABLE, geteuid() == 0 ? 0 : 1) != 0 ? -errno : 0;
    if (result == 0) result = open_signals(&watch);
    if (result == 0) result = prepare(&context, ending);
    if (result == 0 && (result = start(&watch)) != 0) {
        fail(ending, SBX_STEP_CLONE, result);
        if (context.init > 0) kill_all(&watch);
    }
    for (int i = 0; i < SBX_CGROUP_GROUPS; i++) sbx_close(&context.cgroup.joins[i]);
    if (context.init > 0) {
        watch_until_end(&watch);
        conclude(&watch, ending);
    }
    sbx_close(&watch.signals);
    clean_up(&context);
    tell(&watch, ending);
    return result;
}
