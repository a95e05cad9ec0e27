// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The watch over one sandbox: what it tells goes up, what is asked goes down, and it ends when its time has come.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"
#include "sbx_jail.h"

/// Between two looks at the sockets, in milliseconds: what can be put into them meanwhile is small beside a memory limit,
/// and a look takes some microseconds.
enum { LOOK_INTERVAL = 50 };

/// What the parent watches.
struct watch {
    struct sbx_jail *jail;
    struct sbx_context *context;
    /// The caller's socket, or -1.
    int control;
    /// Where signals to be passed on are read, or -1.
    int signals;
    /// When the program was about to be executed, by the monotonic clock; 0 = not yet.
    uint64_t executing;
    /// When everything is killed, by the monotonic clock; 0 = never.
    uint64_t deadline;
    /// When the sockets are counted next, by the monotonic clock; 0 = never again.
    uint64_t look;
    /// Whether all was killed as there were too many.
    int crowded;
    /// How the main process ended, from the init; kind 0 = not told.
    struct sbx_record ending;
};

static void tell(const struct watch *watch, const struct sbx_record *record) {
    // A caller that is gone is noticed by the poll; there is nobody to tell otherwise.
    if (watch->control >= 0) sbx_packet_send(watch->control, record);
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
        } else if (watch->jail->failure.kind == 0) {
            watch->jail->failure = record;
        }
        return;
    }
    sbx_close(&watch->context->status_read);
    sbx_processor_leave(watch->context);
    if (watch->jail->failure.kind == 0 && watch->executing == 0) {
        // Ended in the middle: killed for want of memory, most likely.
        sbx_fail(&watch->jail->failure, SBX_STEP_INIT, -EOWNERDEAD);
    }
    if (watch->jail->failure.kind != 0) {
        sbx_kill_all(watch->context);
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
    struct sbx_message message;
    if (sbx_message_receive(watch->context->control_parent, &message) != 0) {
        sbx_close(&watch->context->control_parent);
    } else if (message.record.kind == SBX_RECORD_ENDED) {
        watch->ending = message.record;
    } else if (message.record.kind == SBX_RECORD_VIOLATION && watch->control >= 0) {
        sbx_message_send(watch->control, &message);
    }
}

static void read_caller(struct watch *watch) {
    struct sbx_record record;
    int result = sbx_packet_receive(watch->control, &record);
    if (result == 0 && record.kind == SBX_RECORD_SIGNAL) {
        sbx_pass_signal(watch->context, record.signal);
        if (record.nanoseconds != 0 && watch->deadline == 0) watch->deadline = sbx_now() + record.nanoseconds;
    } else {
        // Asked to, or the caller is gone: nothing inside may outlive it.
        sbx_kill_all(watch->context);
        if (result != 0) watch->control = -1;
    }
}

static void read_signal(struct watch *watch) {
    struct signalfd_siginfo info;
    ssize_t count = read(watch->signals, &info, sizeof info);
    if (count == (ssize_t)sizeof info) sbx_pass_signal(watch->context, (int)info.ssi_signo);
}

/// Kills when the deadline has passed, or there are too many sockets. Returns the milliseconds until the next of both,
/// rounded up; -1 without one.
static int attend(struct watch *watch) {
    uint64_t now = sbx_now();
    if (watch->deadline != 0 && now >= watch->deadline) {
        watch->deadline = 0;
        watch->look = 0;
        sbx_kill_all(watch->context);
    }
    if (watch->look != 0 && now >= watch->look) {
        watch->crowded = sbx_sockets_exceed(watch->context);
        watch->look = watch->crowded ? 0 : now + LOOK_INTERVAL * 1000000U;
        if (watch->crowded) sbx_kill_all(watch->context);
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
    if (watch->jail->failure.kind != 0) *record = watch->jail->failure;
    if (watch->jail->failure.kind == 0 && watch->ending.kind != 0) {
        record->code = watch->ending.code;
        record->signal = watch->ending.signal;
    } else if (watch->jail->failure.kind == 0) {
        record->signal = SIGKILL;  // the init was killed, by us or for want of memory, and everything with it
    }
    if (watch->crowded && watch->jail->failure.kind == 0) record->error = ENOBUFS;
    reap_init(watch, record);
    sbx_cgroup_usage(&watch->context->cgroup, record);
}

void sbx_jail_watch(struct sbx_jail *jail, int control, int signals, struct sbx_record *ending) {
    struct watch watch = {.jail = jail, .context = &jail->context, .control = control, .signals = signals};
    if (jail->context.sockets.totals >= 0) watch.look = sbx_now() + LOOK_INTERVAL * 1000000U;
    watch_until_end(&watch);
    conclude(&watch, ending);
}
