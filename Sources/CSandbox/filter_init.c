// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The filter of PID 1: what init.c does, and death for the rest.

#include "filter.h"

static const char *const calls[] = {
    "exit_group", "kill", "poll", "read", "recvfrom", "restart_syscall", "rt_sigreturn", "sendto", "waitid",
};

int sbx_filter_fill_init(scmp_filter_ctx context) {
    return sbx_filter_add_names(context, SCMP_ACT_ALLOW, calls, SBX_COUNT_OF(calls));
}
