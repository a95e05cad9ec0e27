// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "cos_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

// A rename anywhere on the machine during a BENEATH walk gives EAGAIN; somebody who renames for ever must not hold us.
enum { COS_OPEN_ATTEMPTS = 1000 };

static int open_resolved(int directory, const char *path, uint64_t flags, uint32_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    for (int attempt = 0; attempt < COS_OPEN_ATTEMPTS; attempt++) {
        long descriptor = syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (descriptor >= 0) {
            return (int)descriptor;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
    }
    return -EAGAIN;
}

int cos_open_beneath(int directory, const char *path, uint64_t flags, uint32_t mode) {
    return open_resolved(directory, path, flags, mode,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

int cos_open_beneath_following(int directory, const char *path, uint64_t flags) {
    return open_resolved(directory, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

int cos_open_place(int directory, const char *name) {
    return cos_open_beneath(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}

int cos_open_entry(int directory, const char *path) {
    return cos_open_beneath(directory, path, O_PATH | O_NOFOLLOW, 0);
}

int cos_chmod_path_descriptor(int descriptor, uint32_t mode) {
    if (syscall(SYS_fchmodat2, descriptor, "", mode, AT_EMPTY_PATH) == 0) {
        return 0;
    }
    // EPERM too: container filters that do not know the call answer so.
    if (errno != ENOSYS && errno != EPERM) {
        return -errno;
    }
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return chmod(path, (mode_t)mode) == 0 ? 0 : -errno;
}

int cos_rename(int old_directory, const char *old_name, int new_directory, const char *new_name, int exclusive) {
    unsigned int flags = exclusive ? RENAME_NOREPLACE : 0;
    return renameat2(old_directory, old_name, new_directory, new_name, flags) == 0 ? 0 : -errno;
}

int cos_clone_file(int to, int from) { return ioctl(to, FICLONE, from) == 0 ? 0 : -errno; }

int64_t cos_copy_range(int to, int from, size_t count) {
    ssize_t copied = copy_file_range(from, NULL, to, NULL, count, 0);
    return copied >= 0 ? (int64_t)copied : -errno;
}

int cos_sync_file_system(int file) { return syncfs(file) == 0 ? 0 : -errno; }

void cos_start_writing(int file) { (void)sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE); }

int64_t cos_read_directory(int directory, void *buffer, size_t size) {
    ssize_t count = getdents64(directory, buffer, size);
    return count >= 0 ? (int64_t)count : -errno;
}

int cos_next_entry(const void *buffer, size_t length, size_t *offset, cos_directory_entry *entry) {
    const size_t head = offsetof(struct dirent64, d_name);
    while (*offset < length) {
        const char *record = (const char *)buffer + *offset;
        uint16_t size;
        if (length - *offset <= head) {
            return -EBADMSG;
        }
        memcpy(&size, record + offsetof(struct dirent64, d_reclen), sizeof size);
        if (size <= head || size > length - *offset) {
            return -EBADMSG;
        }
        *offset += size;
        const char *name = record + head;
        size_t name_length = strnlen(name, size - head);
        if (name_length == size - head) {
            return -EBADMSG;
        }
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            *entry = (cos_directory_entry){.name = name, .name_length = name_length};
            return 1;
        }
    }
    return 0;
}

int cos_reserve(int file, int64_t offset, int64_t count) {
    return fallocate(file, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)count) == 0 ? 0 : -errno;
}
