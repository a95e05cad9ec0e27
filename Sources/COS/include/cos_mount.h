// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// Loop devices and mounts: calls that Swift does not see. Every function returns 0 or a negative errno.

#ifndef COS_MOUNT_H
#define COS_MOUNT_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// Gives this process a mount namespace of its own, in which mounts of the old one go on to appear and from which none
/// gets out: what is mounted here ends with its last process. Only while there is a single thread.
/// Source: man 7 mount_namespaces.
int cos_separate_mounts(void);

/// Makes a block device of the regular file `image`, with direct I/O where the file can do that; it goes away with its
/// last user. `*device` belongs to the caller (close-on-exec), `*number` is that of `/dev/loopN`. Source: man 4 loop.
int cos_loop_attach(int image, int32_t *device, int32_t *number);

/// Mounts the ext4 on `/dev/loop<number>` at `target`: for files that nobody needs after a crash.
int cos_mount_loop(int32_t number, const char *target);

/// Shows at `target` the directory that `lower` stands for, which stays as it is: what is changed goes to `upper`, by way of
/// `work`, two directories of one file system. Source: Documentation/filesystems/overlayfs.rst of Linux.
int cos_mount_overlay(int lower, int upper, int work, const char *target);

/// Takes away the mount at `target`, at once for who looks for it, and for who still uses it with its last use;
/// -EINVAL when nothing is mounted there.
int cos_unmount(const char *target);

/// Makes an anonymous file of `size` bytes without any in it, close-on-exec.
int cos_memory_file(const char *name, int64_t size, int32_t *file);

/// The first byte at or behind `from` that is not in a hole; -ENXIO when there is none. Source: man 2 lseek.
int64_t cos_next_data(int file, int64_t from);

/// The end of the data that begins at `from`.
int64_t cos_next_hole(int file, int64_t from);

#pragma clang assume_nonnull end

#endif
