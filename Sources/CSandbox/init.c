// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// PID 1 of the sandbox: reaps, passes signals on, answers the calls that are refused by its word, and takes everything with it when the main process ends (the kernel
// kills a PID namespace with its init, man 7 pid_namespaces). It can do nothing else: see filter_init.c.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "jail.h"
#include "kernel_calls.h"
#include "observe.h"
#include "seccomp_load.h"

/// Reaps all that has ended; 1 when the main process is among them, with how in `record`.
static int reap(const struct sbx_context *context, struct sbx_record *record) {
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return 0;
        if (info.si_pid != context->step) continue;
        int exited = info.si_code == CLD_EXITED;
        record->code = exited ? info.si_status : -1;
        record->signal = exited ? 0 : info.si_status;
        return 1;
    }
}

static int follow(const struct sbx_context *context) {
    struct sbx_record record;
    int result = sbx_packet_receive(SBX_INIT_CONTROL, &record);
    if (result != 0 || record.kind != SBX_RECORD_SIGNAL) return result;
    // It may not have come to its own session yet.
    if (kill(-context->step, record.signal) != 0) kill(context->step, record.signal);
    return 0;
}

/// Makes a descriptor the one that the init knows by `number`.
static int place(int *descriptor, enum sbx_init_descriptor number) {
    if (*descriptor < 0) return -errno;
    if (dup2(*descriptor, (int)number) < 0) return -errno;
    *descriptor = (int)number;
    return 0;
}

/// All are first taken above those numbers, as one may lie where another is to go.
static int take_descriptors(struct sbx_context *context, struct sbx_observer *observer) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &child, NULL) != 0) return -errno;
    const int above = SBX_INIT_PROCESSES + 1;
    int control = fcntl(context->control_init, F_DUPFD, above);
    int signals = fcntl(signalfd(-1, &child, 0), F_DUPFD, above);
    int processes = fcntl(open("/proc", O_PATH | O_DIRECTORY), F_DUPFD, above);
    if (observer->listener >= 0) observer->listener = fcntl(observer->listener, F_DUPFD, above);
    int result = place(&control, SBX_INIT_CONTROL);
    if (result == 0) result = place(&signals, SBX_INIT_SIGNALS);
    if (result == 0) result = place(&processes, SBX_INIT_PROCESSES);
    if (result == 0 && observer->listener >= 0) {
        result = place(&observer->listener, SBX_INIT_LISTENER);
    } else if (result == 0) {
        close(SBX_INIT_LISTENER);
    }
    observer->processes = processes;
    return result != 0 ? result : (sbx_close_range((unsigned)above, ~0U) != 0 ? -errno : 0);
}

static int prepare(struct sbx_context *context, struct sbx_observer *observer) {
    // Comes with the last step before exec, or not at all.
    observer->listener = sbx_observe_take_over(context->pair_init);
    int result = take_descriptors(context, observer);
    if (result != 0) return result;
    sbx_processor_leave(context);
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    return sbx_filter_load(&context->filters->filters[context->spec->settings.profile][SBX_FILTER_INIT]);
}

static void tell_violation(const struct sbx_violation *violation) {
    struct sbx_message message;
    sbx_record_init(&message.record, SBX_RECORD_VIOLATION);
    message.violation = *violation;
    sbx_message_send(SBX_INIT_CONTROL, &message);
}

static void observe(struct sbx_observer *observer, short events) {
    struct sbx_violation violation;
    if ((events & POLLIN) != 0) {
        if (sbx_observe(observer, &violation) != 0) tell_violation(&violation);
    } else if (events != 0) {
        // Nobody is left who could make a call.
        observer->listener = -1;
    }
}

void sbx_run_init(struct sbx_context *context) {
    static struct sbx_observer observer;
    struct sbx_violation rest;
    struct sbx_record record;
    sbx_record_init(&record, SBX_RECORD_ENDED);
    if (prepare(context, &observer) != 0) _exit(1);
    for (;;) {
        struct pollfd events[] = {
            {.fd = SBX_INIT_CONTROL, .events = POLLIN},
            {.fd = SBX_INIT_SIGNALS, .events = POLLIN},
            {.fd = observer.listener, .events = POLLIN},
        };
        struct signalfd_siginfo signal;
        // Before the first wait too: the main process may have ended already.
        if (reap(context, &record) != 0) break;
        if (poll(events, sizeof events / sizeof events[0], -1) < 0 && errno != EINTR) _exit(1);
        if ((events[1].revents & POLLIN) != 0 && read(SBX_INIT_SIGNALS, &signal, sizeof signal) < 0) _exit(1);
        if (events[0].revents != 0 && follow(context) != 0) _exit(1);
        observe(&observer, events[2].revents);
    }
    while (sbx_observe_rest(&observer, &rest) != 0) tell_violation(&rest);
    sbx_packet_send(SBX_INIT_CONTROL, &record);
    _exit(0);
}
