// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// PID 1 of the sandbox: reaps, passes signals on, and takes everything with it when the main process ends (the kernel
// kills a PID namespace with its init, man 7 pid_namespaces). It can do nothing else: see filter_init.c.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail.h"
#include "seccomp_load.h"

enum { CONTROL = 0, SIGNALS = 1 };

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
    int result = sbx_packet_receive(CONTROL, &record);
    if (result != 0 || record.kind != SBX_RECORD_SIGNAL) return result;
    // It may not have come to its own session yet.
    if (kill(-context->step, record.signal) != 0) kill(context->step, record.signal);
    return 0;
}

static int prepare(struct sbx_context *context) {
    sigset_t child;
    // Descriptors 0 and 1 and no other: the pipes of the program must be closed when the program closes them.
    if (dup3(context->control_init, CONTROL, 0) < 0) return -errno;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &child, NULL) != 0) return -errno;
    int signals = signalfd(-1, &child, SFD_CLOEXEC);
    if (signals < 0 || dup2(signals, SIGNALS) < 0) return -errno;
    if (close_range(SIGNALS + 1, ~0U, 0) != 0) return -errno;
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    return sbx_filter_load(&context->filters->filters[context->spec->settings.profile][SBX_FILTER_INIT]);
}

void sbx_run_init(struct sbx_context *context) {
    struct sbx_record record;
    sbx_record_init(&record, SBX_RECORD_ENDED);
    if (prepare(context) != 0) _exit(1);
    struct pollfd events[] = {
        {.fd = CONTROL, .events = POLLIN},
        {.fd = SIGNALS, .events = POLLIN},
    };
    for (;;) {
        struct signalfd_siginfo signal;
        // Before the first wait too: the main process may have ended already.
        if (reap(context, &record) != 0) break;
        if (poll(events, 2, -1) < 0 && errno != EINTR) _exit(1);
        if ((events[SIGNALS].revents & POLLIN) != 0 && read(SIGNALS, &signal, sizeof signal) < 0) _exit(1);
        if (events[CONTROL].revents != 0 && follow(context) != 0) _exit(1);
    }
    sbx_packet_send(CONTROL, &record);
    _exit(0);
}
