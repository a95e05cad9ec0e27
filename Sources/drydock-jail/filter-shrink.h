// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
#ifndef SBX_FILTER_SHRINK_INTERNAL_H
#define SBX_FILTER_SHRINK_INTERNAL_H

#include <linux/filter.h>
#include <stddef.h>

/// Writes a program into `made`, which has room for `room` instructions, that answers every call as the `count` ones of
/// `from` do. Returns how many they are, or a negative errno: -ENOTSUP for an instruction that libseccomp does not write,
/// -ENOSPC, and -ENOTRECOVERABLE where the two were found to differ.
int sbx_filter_shrink(const struct sock_filter *from, size_t count, struct sock_filter *made, size_t room);

#endif
