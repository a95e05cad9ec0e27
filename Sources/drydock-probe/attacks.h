// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The attacks by which a sandbox is proven: each is harmless where it succeeds, and ends by itself.
#ifndef DRYDOCK_PROBE_ATTACKS_H
#define DRYDOCK_PROBE_ATTACKS_H

#include <stddef.h>

/// How an attack ended, as the exit status of the process that made it.
enum outcome {
    /// It failed, as it must.
    HELD = 0,
    /// It succeeded.
    BREACH = 1,
    /// It could not be made, so it says nothing.
    UNSURE = 2,
};

struct attack {
    /// Lower-case words with hyphens; what the reports call it.
    const char *name;
    enum outcome (*make)(void);
};

/// One table for each subject.
extern const struct attack kernel_attacks[];
extern const size_t kernel_attack_count;
extern const struct attack file_attacks[];
extern const size_t file_attack_count;
extern const struct attack identity_attacks[];
extern const size_t identity_attack_count;

/// Of a call that must fail.
enum outcome must_fail(long result);
/// Of a descriptor that must not be had; closes it.
enum outcome must_not_open(int descriptor);

#endif
