// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// What Swift does not see of glibc without _GNU_SOURCE: event descriptors.

#ifndef COS_EVENT_H
#define COS_EVENT_H

#pragma clang assume_nonnull begin

/// A new event descriptor (close-on-exec, counter 0) that the caller closes, or a negative errno. Source: man 2 eventfd.
int cos_eventfd(void);

#pragma clang assume_nonnull end

#endif
