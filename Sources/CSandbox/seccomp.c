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
#include "seccomp_load.h"

int sbx_filter_load(const struct sbx_filter *filter) {
    if (filter->count == 0 || filter->count > 4096) return -EINVAL;
    struct sock_fprog program = {
        .len = (unsigned short)filter->count,
        .filter = (struct sock_filter *)(uintptr_t)filter->instructions,
    };
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0 ? -errno : 0;
}

/// The denials last: of two filters that both say "errno", the one that was loaded last has the word
/// (man 2 seccomp, "seccomp filters"), and theirs is the exact one.
int sbx_seccomp(struct sbx_context *context) {
    const struct sbx_filter *filters = context->filters->filters[context->spec->settings.profile];
    int result = sbx_filter_load(&filters[SBX_FILTER_ALLOW]);
    return result != 0 ? result : sbx_filter_load(&filters[SBX_FILTER_DENY]);
}
