// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// What filter B refuses: one table, of which the filters are compiled, and by which the init answers those calls that it is
// told of.
#ifndef SBX_REFUSALS_INTERNAL_H
#define SBX_REFUSALS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/// Of the argument `argument`, the bits `mask` equal `value`. Masks have 32 bits, as have the kernel's own ints.
struct sbx_condition {
    uint32_t argument;
    uint32_t mask;
    uint32_t value;
};

/// Who hears of a refusal.
enum sbx_notice {
    /// The program alone: calls that are made often, or answered as if they were done.
    SBX_NOTICE_NONE = 0,
    /// The init too, which tells it on.
    SBX_NOTICE_INIT = 1,
};

/// A call that is refused where all of its conditions hold.
struct sbx_refusal {
    const char *name;
    /// Of this architecture.
    int number;
    /// 0 = answered as done.
    uint16_t error;
    uint8_t notice;
    /// Allowed in the profile for debugging.
    uint8_t debugging;
    uint32_t count;
    struct sbx_condition conditions[2];
};

/// All that have conditions of this form; filter_deny.c has a few more, none of which the init hears of.
extern const struct sbx_refusal sbx_refusals[];
extern const size_t sbx_refusal_count;

/// The name of a call of the table or NULL.
const char *sbx_refusal_name(int number);
/// The error by which the table refuses a call with these six arguments; EPERM where it does not say.
int sbx_refusal_error(int number, const uint64_t *arguments);

#endif
