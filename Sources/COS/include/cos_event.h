// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// What Swift does not see of glibc without _GNU_SOURCE: event descriptors, and waiting for many
// descriptors at once (man 7 epoll).

#ifndef COS_EVENT_H
#define COS_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// A new event descriptor (close-on-exec, counter 0) that the caller closes, or a negative errno. Source: man 2 eventfd.
int cos_eventfd(void);

/// What has become possible with a descriptor.
struct cos_ready {
    uint64_t key;
    /// There are bytes, or their end.
    bool reads;
    bool writes;
    /// The connection is broken.
    bool fails;
};

/// A new set of descriptors (close-on-exec) that the caller closes, or a negative errno.
int cos_ready_set(void);

/// Adds a descriptor: it is told once for each time that something becomes possible, and at first for what is (EPOLLET).
/// It leaves the set when it is closed. 0 or a negative errno.
int cos_ready_add(int set, int descriptor, uint64_t key);

/// Waits, for ever with -1, and returns how many of `found` were written, `most` (at most 64) of them; or a
/// negative errno.
int cos_ready_wait(int set, struct cos_ready *found, int most, int milliseconds);

#pragma clang assume_nonnull end

#endif
