// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// File calls that Swift can not make itself: `syscall` is variadic, ioctl requests are macros.
// Every function returns 0 or a count, or a negative errno; none of them retries, except where said.

#ifndef COS_FILE_H
#define COS_FILE_H

#include <stddef.h>
#include <stdint.h>

// Swift reads nullability from these; -Wpedantic takes it for an extension.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"

/// Opens `path` below `directory` without ever leaving it: no `..` above it, no symbolic link, no magic link, no mount
/// point on the way or at the end. EAGAIN (a rename raced) and EINTR are retried a bounded number of times.
/// `flags` and `mode` as for open(2); O_CLOEXEC is added. Returns a descriptor the caller owns.
/// Source: man 2 openat2.
int cos_open_beneath(int directory, const char *_Nonnull path, uint64_t flags, uint32_t mode);

/// The same, but symbolic links are followed as long as they stay below `directory`.
int cos_open_beneath_following(int directory, const char *_Nonnull path, uint64_t flags);

/// A descriptor that stands for the directory `name` without opening it (O_PATH), which needs no right to it.
int cos_open_place(int directory, const char *_Nonnull name);

/// A descriptor that stands for what is below at `path`, whatever that is, a link itself, without opening it (O_PATH).
int cos_open_entry(int directory, const char *_Nonnull path);

/// Sets the permission bits of what an O_PATH descriptor of a directory stands for, which fchmod(2) refuses.
/// Source: man 2 fchmodat (fchmodat2, Linux 6.6); before that by way of /proc/self/fd.
int cos_chmod_path_descriptor(int descriptor, uint32_t mode);

/// Moves `old_name` of `old_directory`; `exclusive` other than 0 fails with EEXIST instead of replacing.
/// Source: man 2 renameat2.
int cos_rename(int old_directory, const char *_Nonnull old_name, int new_directory, const char *_Nonnull new_name,
               int exclusive);

/// Makes `to`, an empty file, share the blocks of `from`. Source: man 2 ioctl_ficlone.
int cos_clone_file(int to, int from);

/// Copies up to `count` bytes from the one file position to the other inside the kernel. Returns how many, 0 at the end.
/// Source: man 2 copy_file_range.
int64_t cos_copy_range(int to, int from, size_t count);

/// Waits until everything that was written to the file system of `file` is on the disk. Source: man 2 syncfs.
int cos_sync_file_system(int file);

/// Sets blocks aside for `count` bytes from `offset` on, behind the end of the file too, whose size stays as it is.
/// Source: man 2 fallocate (FALLOC_FL_KEEP_SIZE).
int cos_reserve(int file, int64_t offset, int64_t count);

/// Has the disk begin with what was written to `file`, and does not wait for it; makes nothing durable.
/// Source: man 2 sync_file_range.
void cos_start_writing(int file);

/// One entry of a directory as `cos_next_entry` finds it.
typedef struct cos_directory_entry {
    /// Within the buffer, NUL-terminated.
    const char *_Nullable name;
    size_t name_length;
} cos_directory_entry;

/// Fills `buffer` with raw directory records. Returns the bytes used, 0 at the end. Source: man 2 getdents64.
int64_t cos_read_directory(int directory, void *_Nonnull buffer, size_t size);

/// Steps through a buffer that `cos_read_directory` filled with `length` bytes; `offset` starts at 0 and is moved on.
/// Skips `.` and `..`. Returns 1 with `entry` set, 0 at the end, -EBADMSG for a record that does not fit.
int cos_next_entry(const void *_Nonnull buffer, size_t length, size_t *_Nonnull offset,
                   cos_directory_entry *_Nonnull entry);

#pragma clang diagnostic pop

#endif
