// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// What Swift does not see of glibc without _GNU_SOURCE: event descriptors, names of threads.

#ifndef COS_EVENT_H
#define COS_EVENT_H

#pragma clang assume_nonnull begin

/// A new event descriptor (close-on-exec, counter 0) that the caller closes, or a negative errno. Source: man 2 eventfd.
int cos_eventfd(void);

/// Names the calling thread; at most 15 bytes count. Source: man 3 pthread_setname_np.
void cos_name_thread(const char *name);

#pragma clang assume_nonnull end

#endif
