// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
#ifndef SBX_SECCOMP_LOAD_INTERNAL_H
#define SBX_SECCOMP_LOAD_INTERNAL_H

#include <linux/filter.h>

#include "sbx_filter.h"

/// The filter as the kernel takes it.
struct sock_fprog sbx_filter_program(const struct sbx_filter *filter);
/// Loads a compiled filter for this process; it needs no_new_privs.
int sbx_filter_load(const struct sbx_filter *filter);

#endif
