// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The system call filters: compiled with libseccomp when the jail is built, so that starting costs loading them only.
#ifndef SBX_FILTER_H
#define SBX_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "sbx_spec.h"

/// The filters of a sandbox.
enum sbx_filter_kind {
    /// The step's first: what is not named does not exist (ENOSYS).
    SBX_FILTER_ALLOW = 0,
    /// The step's second: exact errors for what is refused on purpose.
    SBX_FILTER_DENY = 1,
    /// The same, but that the init is told of what is rare, and answers with the same errors.
    SBX_FILTER_OBSERVE = 2,
    /// The init's.
    SBX_FILTER_INIT = 3,
    SBX_FILTER_COUNT = 4,
};

/// A compiled filter: `count` instructions of struct sock_filter.
struct sbx_filter {
    const void *_Nonnull instructions;
    size_t count;
};

/// All filters, by profile and kind.
struct sbx_filter_set {
    struct sbx_filter filters[SBX_PROFILE_COUNT][SBX_FILTER_COUNT];
};

/// Compiles a filter and writes its instructions to `descriptor`.
int sbx_filter_compile(enum sbx_profile profile, enum sbx_filter_kind kind, int descriptor);

#endif
