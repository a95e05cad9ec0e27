// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// What Swift does not see of glibc without _GNU_SOURCE: event descriptors, waiting for many
// descriptors at once (man 7 epoll), and moving bytes without a copy (man 2 splice).

#ifndef COS_EVENT_H
#define COS_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/// Moves up to `most` bytes from one descriptor to another, one of which is a pipe, without waiting: how many, 0 at the end of
/// what is read from, or a negative errno. A socket has to have O_NONBLOCK, or it waits all the same.
ssize_t cos_splice(int from, int to, size_t most);

/// Has a pipe take `size` bytes: how many it takes, or a negative errno, and then it is as it was. Source: man 7 pipe.
int cos_pipe_resize(int pipe, int size);

#pragma clang assume_nonnull end

#endif
