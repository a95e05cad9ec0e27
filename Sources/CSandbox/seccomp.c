// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Step 17: last before exec, as everything before needs calls that are forbidden afterwards.

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"
#include "observe.h"
#include "seccomp_load.h"

struct sock_fprog sbx_filter_program(const struct sbx_filter *filter) {
    return (struct sock_fprog){
        .len = (unsigned short)filter->count,
        .filter = (struct sock_filter *)(uintptr_t)filter->instructions,
    };
}

int sbx_filter_load(const struct sbx_filter *filter) {
    struct sock_fprog program = sbx_filter_program(filter);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0 ? -errno : 0;
}

/// Filter B, observed by the init where that can be.
static int load_denials(const struct sbx_context *context, const struct sbx_filter *filters) {
    int listener = -1;
    int result = sbx_observe_load(&filters[SBX_FILTER_OBSERVE], &listener);
    // Somebody else observes all of us: it protects the same, and tells nothing.
    if (result == -EBUSY) return sbx_filter_load(&filters[SBX_FILTER_DENY]);
    if (result == 0) result = sbx_observe_hand_over(context->pair_step, listener);
    sbx_close(&listener);
    return result;
}

/// The denials last: of two filters that both say "errno", the one that was loaded last has the word
/// (man 2 seccomp, "seccomp filters"), and theirs is the exact one.
int sbx_seccomp(struct sbx_context *context) {
    // The last before exec, and a call that a filter is asked about the less.
    sbx_processor_leave(context);
    const struct sbx_filter *filters = context->filters->filters[context->spec->settings.profile];
    int result = sbx_filter_load(&filters[SBX_FILTER_ALLOW]);
    if (result == 0) result = load_denials(context, filters);
    sbx_close(&context->pair_step);
    return result;
}
