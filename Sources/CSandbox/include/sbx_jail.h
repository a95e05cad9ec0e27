// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
#ifndef SBX_JAIL_H
#define SBX_JAIL_H

#include "sbx_filter.h"
#include "sbx_report.h"
#include "sbx_spec.h"

/// Puts a program into a sandbox and stays until nothing of it is left.
///
/// Takes over the standard streams (they become the program's). `control` is a packet socket on which the records of
/// sbx_report.h go up and down, or -1: then signals are passed on, and the sandbox ends when the caller's process
/// does. The last record is stored in `*ending` too. Returns 0, or the negative errno of what failed before there
/// was a sandbox. The calling process must have one thread.
int sbx_jail_run(const struct sbx_spec *_Nonnull spec, const struct sbx_filter_set *_Nonnull filters, int control,
                 struct sbx_record *_Nonnull ending);

/// Removes what jails that were killed have left behind: empty control groups.
void sbx_cgroup_reap(void);

#endif
