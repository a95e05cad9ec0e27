// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "filter.h"

#include <errno.h>

int sbx_filter_add(scmp_filter_ctx context, uint32_t action, const char *name, const struct scmp_arg_cmp *conditions,
                   unsigned int count) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return -ENOSYS;
    return seccomp_rule_add_array(context, action, number, count, conditions);
}

int sbx_filter_add_names(scmp_filter_ctx context, uint32_t action, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int result = sbx_filter_add(context, action, names[i], NULL, 0);
        if (result != 0) return result;
    }
    return 0;
}

int sbx_filter_add_refusal(scmp_filter_ctx context, uint32_t action, const struct sbx_refusal *refusal) {
    struct scmp_arg_cmp conditions[SBX_COUNT_OF(refusal->conditions)];
    for (uint32_t i = 0; i < refusal->count; i++) {
        const struct sbx_condition *condition = &refusal->conditions[i];
        conditions[i] = (struct scmp_arg_cmp)SBX_BITS(condition->argument, condition->mask, condition->value);
    }
    return sbx_filter_add(context, action, refusal->name, conditions, refusal->count);
}

static uint32_t default_action(enum sbx_filter_kind kind) {
    // A call that does not exist: libc and runtimes fall back. An EPERM they would take for the last word.
    if (kind == SBX_FILTER_ALLOW) return SCMP_ACT_ERRNO(ENOSYS);
    return kind == SBX_FILTER_INIT ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW;
}

static int fill(scmp_filter_ctx context, enum sbx_profile profile, enum sbx_filter_kind kind) {
    // i386 and x32 on x86-64 are other tables of calls with the same numbers.
    int result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0) result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree
    if (result != 0) return result;
    switch (kind) {
    case SBX_FILTER_ALLOW: return sbx_filter_fill_allow(context, profile);
    case SBX_FILTER_DENY: return sbx_filter_fill_deny(context, profile, 0);
    case SBX_FILTER_OBSERVE: return sbx_filter_fill_deny(context, profile, 1);
    case SBX_FILTER_INIT: return sbx_filter_fill_init(context);
    case SBX_FILTER_COUNT: break;
    }
    return -EINVAL;
}

int sbx_filter_compile(enum sbx_profile profile, enum sbx_filter_kind kind, int descriptor) {
    scmp_filter_ctx context = seccomp_init(default_action(kind));
    if (context == NULL) return -ENOMEM;
    int result = fill(context, profile, kind);
    if (result == 0) result = seccomp_export_bpf(context, descriptor);
    seccomp_release(context);
    return result;
}
