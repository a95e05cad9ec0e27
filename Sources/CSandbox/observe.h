// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
#ifndef SBX_OBSERVE_INTERNAL_H
#define SBX_OBSERVE_INTERNAL_H

#include <stdint.h>

#include "sbx_filter.h"
#include "sbx_report.h"

/// Above every number of a call that the filters know.
#define SBX_OBSERVED_CALLS 512

/// How often a call was refused.
struct sbx_observed {
    /// Each told by itself.
    uint32_t told;
    /// Counted, to be told together at the end.
    uint64_t untold;
};

/// What the init observes by.
struct sbx_observer {
    /// Tells of calls; -1 = none, or none any more.
    int listener;
    /// /proc.
    int processes;
    uint32_t told;
    struct sbx_observed calls[SBX_OBSERVED_CALLS];
};

/// Loads a filter for this process whose observer is told by `*listener`. -EBUSY where there is an observer already: a
/// process has one at most, and ours may itself run under another's.
int sbx_observe_load(const struct sbx_filter *filter, int *listener);
/// Passes a listener on by a socket of bytes; 0 or a negative errno.
int sbx_observe_hand_over(int socket, int listener);
/// Waits for a listener from there; -1 when the other side has gone without.
int sbx_observe_take_over(int socket);

/// Reads the call that the listener has, and answers it. Returns 1 when it is to be told, as in `violation`.
int sbx_observe(struct sbx_observer *observer, struct sbx_violation *violation);
/// Stores in `violation` how often a call was refused that was not told each time. Returns 1, or 0 when there is none left.
int sbx_observe_rest(struct sbx_observer *observer, struct sbx_violation *violation);

#endif
