// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Part of step 6: what the kernel counts for the user outside, or for the machine, and no control group bounds. Written
// as settings of the sandbox's own user and network namespace, before /proc/sys is made read-only.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"

/// A sandbox gets one part of so many of what its user may have outside.
enum { PARTS = 8 };

#define WORD(number) #number
#define TEXT(number) WORD(number)

/// Smallest, usual and largest buffer of a TCP connection, in bytes: a fraction of Linux's own, as nothing is further away
/// than the loopback device.
static const char buffers[] = "4096 65536 " TEXT(SBX_TCP_BUFFER);

/// What filters, groups and the like of a socket may take: what Linux had before 6.7, and machines have still that do not
/// know this file in a network namespace.
static const char options[] = "20480";

static uint64_t read_share(const char *path, uint64_t most, uint64_t least) {
    char text[24] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    // Kernels before 5.12 count these otherwise, and hide the files: then the usual number is the bound.
    ssize_t count = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    if (count <= 0) return most;
    uint64_t part = strtoull(text, NULL, 10) / PARTS;
    if (part > most) return most;
    return part < least ? least : part;
}

/// Whether this process, and so a sandbox that it starts as an ordinary user, may ask to be spared when the host is short
/// of memory: what a service was given once can be taken again (man 5 proc_pid_oom_score_adj).
static int may_be_spared(void) {
    static const char path[] = "/proc/self/oom_score_adj";
    char now[16] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? -1 : read(file, now, sizeof now - 1);
    if (file >= 0) close(file);
    if (count <= 0) return 0;
    if (sbx_write_file(AT_FDCWD, path, "-1") != 0) return 0;
    // Taken back at once; it is what it was, so it can not fail for want of a right.
    (void)sbx_write_file(AT_FDCWD, path, now);
    return 1;
}

/// Root has it, but for that of most containers.
static int has_resource_right(void) {
    struct sbx_capabilities held;
    if (sbx_capget(&held) != 0) return 0;
    return (held.words[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective & CAP_TO_MASK(CAP_SYS_RESOURCE)) != 0;
}

void sbx_bounds_read(struct sbx_context *context) {
    // A privileged parent that may spare anybody at any time sets the least score with the score itself.
    context->sparable = !(context->privileged && has_resource_right()) && may_be_spared();
    context->watchers = read_share("/proc/sys/user/max_inotify_instances", 16, 2);
    context->watches = read_share("/proc/sys/user/max_inotify_watches", 8192, 512);
}

static int write_setting(const char *path, uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return sbx_write_file(AT_FDCWD, path, text);
}

int sbx_bound_kernel(const struct sbx_context *context) {
    int result = write_setting("proc/sys/user/max_inotify_instances", context->watchers);
    if (result == 0) result = write_setting("proc/sys/user/max_inotify_watches", context->watches);
    if (result == 0) result = sbx_write_file(AT_FDCWD, "proc/sys/net/ipv4/tcp_rmem", buffers);
    if (result == 0) result = sbx_write_file(AT_FDCWD, "proc/sys/net/ipv4/tcp_wmem", buffers);
    int memory = result == 0 ? sbx_write_file(AT_FDCWD, "proc/sys/net/core/optmem_max", options) : 0;
    // Not there, or the machine's and not to be written: as it was, then.
    if (memory != 0 && memory != -ENOENT && memory != -EACCES && memory != -EPERM) result = memory;
    return result;
}

/// Copies what programs need to find in /proc/stat: the processors and when the machine was started.
static int copy_statistics(FILE *from, FILE *to) {
    char line[512];
    int failed = 0;
    // The line of interrupts may not fit, and comes in pieces then: numbers, none of which begins as these lines do.
    while (!failed && fgets(line, sizeof line, from) != NULL) {
        int wanted = strncmp(line, "cpu", 3) == 0 || strncmp(line, "btime ", 6) == 0;
        failed = wanted && fputs(line, to) == EOF;
    }
    const char *rest = "intr 0\nctxt 0\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n";
    return failed || ferror(from) != 0 || fputs(rest, to) == EOF ? -EIO : 0;
}

/// The copy stays as it is now: the numbers of interrupts tell when somebody presses a key. It is bound and unlinked, so
/// that there is no other way to it.
int sbx_cover_statistics(void) {
    static const char copy[] = "statistics";
    struct mount_attr closed = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                                            | MOUNT_ATTR_NOEXEC};
    struct stat wanted;
    struct stat seen;
    FILE *from = fopen("proc/stat", "re");
    if (from == NULL) return -errno;
    FILE *to = fopen(copy, "wxe");
    int result = to == NULL ? -errno : copy_statistics(from, to);
    fclose(from);
    if (to != NULL && fclose(to) != 0 && result == 0) result = -errno;
    if (result == 0 && (chmod(copy, 0444) != 0 || stat(copy, &wanted) != 0)) result = -errno;
    if (result == 0 && sbx_mount(copy, "proc/stat", NULL, MS_BIND, NULL) != 0) result = -errno;
    if (result == 0 && sbx_mount_setattr(AT_FDCWD, "proc/stat", 0, &closed) != 0) result = -errno;
    if (result == 0 && stat("proc/stat", &seen) != 0) result = -errno;
    if (result == 0 && (seen.st_dev != wanted.st_dev || seen.st_ino != wanted.st_ino)) result = -ENOTRECOVERABLE;
    if (to != NULL && unlink(copy) != 0 && result == 0) result = -errno;
    return result;
}
