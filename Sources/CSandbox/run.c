// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// One program in one sandbox, from a process that is there for nothing else: its streams become the program's, and its
// signals go there.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "jail.h"
#include "sbx_jail.h"

/// Where the signals that are passed on are read; a negative errno.
static int open_signals(void) {
    sigset_t passed;
    sigemptyset(&passed);
    const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sigaddset(&passed, numbers[i]);
    if (sigprocmask(SIG_BLOCK, &passed, NULL) != 0) return -errno;
    int signals = signalfd(-1, &passed, SFD_CLOEXEC);
    return signals < 0 ? -errno : signals;
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

int sbx_jail_run(const struct sbx_spec *spec, const struct sbx_filter_set *filters, int control,
                 struct sbx_record *ending) {
    struct sbx_jail *jail = NULL;
    int signals = open_signals();
    int result = signals < 0 ? sbx_fail(ending, SBX_STEP_PARENT_SPEC, signals) : 0;
    if (result == 0) result = sbx_jail_prepare(spec, filters, &jail, ending);
    if (result == 0) result = sbx_jail_park(jail, ending);
    if (result == 0) {
        int lost = give_up_streams(control < 0);
        if (lost != 0) sbx_jail_fail(jail, SBX_STEP_CLONE, lost);
        sbx_jail_enter(jail);
        sbx_jail_watch(jail, control, signals, ending);
    }
    sbx_close(&signals);
    sbx_jail_free(jail);
    // A caller that is gone is noticed by nobody any more.
    if (control >= 0) sbx_packet_send(control, ending);
    return result;
}
