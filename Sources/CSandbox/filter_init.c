// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The filter of PID 1: what init.c does, and death for the rest.

#include "filter.h"

#include <linux/seccomp.h>
#include <sys/ioctl.h>

#include "init.h"

static const char *const calls[] = {
    "close", "exit_group", "kill", "poll", "process_vm_readv", "read", "recvfrom", "restart_syscall", "rt_sigreturn",
    "sendto", "waitid",
};

/// What it looks up of a process is below /proc, and none of it is written.
static const char *const lookups[] = {"openat", "readlinkat"};

int sbx_filter_fill_init(scmp_filter_ctx context) {
    const uint64_t requests[] = {
        SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND, SECCOMP_IOCTL_NOTIF_ID_VALID,
    };
    const struct scmp_arg_cmp processes[] = {SBX_INT(0, SBX_INIT_PROCESSES)};
    int result = sbx_filter_add_names(context, SCMP_ACT_ALLOW, calls, SBX_COUNT_OF(calls));
    for (size_t i = 0; result == 0 && i < SBX_COUNT_OF(lookups); i++) {
        result = sbx_filter_add(context, SCMP_ACT_ALLOW, lookups[i], processes, 1);
    }
    for (size_t i = 0; result == 0 && i < SBX_COUNT_OF(requests); i++) {
        const struct scmp_arg_cmp rule[] = {SBX_INT(0, SBX_INIT_LISTENER), SBX_INT(1, (uint32_t)requests[i])};
        result = sbx_filter_add(context, SCMP_ACT_ALLOW, "ioctl", rule, 2);
    }
    return result;
}
