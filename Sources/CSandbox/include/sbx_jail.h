// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
#ifndef SBX_JAIL_H
#define SBX_JAIL_H

#include "sbx_filter.h"
#include "sbx_report.h"
#include "sbx_spec.h"

/// A sandbox on its way: prepared, parked, entered and watched, each once and in this order. One process may have several.
struct sbx_jail;

/// Makes its limits, and finds what it will mount; nothing runs yet.
///
/// `spec` and `filters` must outlive it. Returns 0, or the negative errno of what failed, told in `*failure`; `*jail` is to be
/// given to `sbx_jail_free` in both cases. The calling process must have one thread, and can not be looked into any more.
int sbx_jail_prepare(const struct sbx_spec *_Nonnull spec, const struct sbx_filter_set *_Nonnull filters,
                     struct sbx_jail *_Nullable *_Nonnull jail, struct sbx_record *_Nonnull failure);

/// Makes the child, which has the caller's standard streams and its place, and waits there before it mounts anything.
///
/// Returns 0, or the negative errno of what failed before there was a child. What fails later is told by the watch.
int sbx_jail_park(struct sbx_jail *_Nonnull jail, struct sbx_record *_Nonnull failure);

/// Lets the child go on, to the program.
void sbx_jail_enter(struct sbx_jail *_Nonnull jail);

/// Stays until nothing of it is left, and stores how it ended in `*ending`.
///
/// `control`: a packet socket on which the records of sbx_report.h go up and down; when it is closed the sandbox ends. `signals`:
/// a signalfd whose signals are passed on. Both may be -1.
void sbx_jail_watch(struct sbx_jail *_Nonnull jail, int control, int signals, struct sbx_record *_Nonnull ending);

/// Frees it, and removes its control groups; NULL is fine.
void sbx_jail_free(struct sbx_jail *_Nullable jail);

/// All of these: puts a program into a sandbox and stays until nothing of it is left.
///
/// For a process that is there for nothing else: its standard streams become the program's, and its signals are passed on.
/// `control` as above; with -1 the sandbox ends when the caller's process does. The last record is stored in `*ending`
/// too. Returns 0, or the negative errno of what failed before there was a sandbox.
int sbx_jail_run(const struct sbx_spec *_Nonnull spec, const struct sbx_filter_set *_Nonnull filters, int control,
                 struct sbx_record *_Nonnull ending);

/// Removes what jails that were killed have left behind: empty control groups.
void sbx_cgroup_reap(void);

#endif
