// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Filter B: what is refused on purpose, each with the error that programs expect of a system that does not let them.

#include <errno.h>
#include <sys/resource.h>

#include "filter.h"
#include "refusals.h"

static int refuse(scmp_filter_ctx context, const struct sbx_refusal *refusal, int observed) {
    int told = observed && refusal->notice == SBX_NOTICE_INIT;
    return sbx_filter_add_refusal(context, told ? SCMP_ACT_NOTIFY : SCMP_ACT_ERRNO(refusal->error), refusal);
}

/// Answered as done and not done, like setrlimit; who asks for the old limit too would be told nothing, and take what is in
/// its memory for it.
static int refuse_core_limit(scmp_filter_ctx context) {
    // Pointers: all 64 bits count.
    const struct scmp_arg_cmp set[] = {SBX_INT(1, RLIMIT_CORE), {2, SCMP_CMP_NE, 0, 0}, {3, SCMP_CMP_EQ, 0, 0}};
    const struct scmp_arg_cmp swap[] = {SBX_INT(1, RLIMIT_CORE), {2, SCMP_CMP_NE, 0, 0}, {3, SCMP_CMP_NE, 0, 0}};
    int result = sbx_filter_add(context, SCMP_ACT_ERRNO(0), "prlimit64", set, SBX_COUNT_OF(set));
    return result == 0 ? sbx_filter_add(context, SCMP_ACT_ERRNO(EPERM), "prlimit64", swap, SBX_COUNT_OF(swap)) : result;
}

int sbx_filter_fill_deny(scmp_filter_ctx context, enum sbx_profile profile, int observed) {
    int result = refuse_core_limit(context);
    for (size_t i = 0; result == 0 && i < sbx_refusal_count; i++) {
        if (profile == SBX_PROFILE_DEBUG && sbx_refusals[i].debugging) continue;
        result = refuse(context, &sbx_refusals[i], observed);
    }
    return result;
}
