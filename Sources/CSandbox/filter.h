// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// What the three filters share. Arguments of type int are compared by SBX_INT and SBX_BITS only: the kernel looks at
// their lower half, so a comparison of all 64 bits could be walked around by a bit in the upper one.
#ifndef SBX_FILTER_INTERNAL_H
#define SBX_FILTER_INTERNAL_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "refusals.h"
#include "sbx_filter.h"

/// The int argument `index` equals `value`.
#define SBX_INT(index, value) {(index), SCMP_CMP_MASKED_EQ, 0xffffffffU, (value)}
/// Of the argument `index`, the bits `mask` equal `value`.
#define SBX_BITS(index, mask, value) {(index), SCMP_CMP_MASKED_EQ, (mask), (value)}
#define SBX_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/// Adds a rule without conditions for each of `names`; -ENOSYS for a name that libseccomp does not know.
int sbx_filter_add_names(scmp_filter_ctx context, uint32_t action, const char *const *names, size_t count);
/// Adds one rule with conditions that must all hold.
int sbx_filter_add(scmp_filter_ctx context, uint32_t action, const char *name, const struct scmp_arg_cmp *conditions,
                   unsigned int count);
/// Adds the rule of a row of the table of refusals.
int sbx_filter_add_refusal(scmp_filter_ctx context, uint32_t action, const struct sbx_refusal *refusal);

int sbx_filter_fill_allow(scmp_filter_ctx context, enum sbx_profile profile);
/// `observed`: what the init is to hear of is told to it, and answered by it.
int sbx_filter_fill_deny(scmp_filter_ctx context, enum sbx_profile profile, int observed);
int sbx_filter_fill_init(scmp_filter_ctx context);

#endif
