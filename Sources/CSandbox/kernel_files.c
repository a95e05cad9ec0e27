// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Step 6: /dev with what a program needs and nothing that leads to hardware; /proc of this PID namespace, with what
// tells of or changes the machine covered, and the covers checked.
//
// By mount(2), one call for each mount, and by paths relative to the new root: no part of them is anybody's but ours
// and the kernel's. That is not so below the mounts of the spec, whence root.c goes by descriptors.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"
#include "mounts.h"

/// The number of terminals is the machine's (kernel.pty.max), so each sandbox gets a few.
static const char terminals[] = "ptmxmode=0666,mode=0600,max=64";

enum { COVER_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC };

struct node {
    const char *outside;
    const char *inside;
};

static const struct node devices[] = {
    {"/dev/null", "dev/null"},     {"/dev/zero", "dev/zero"},       {"/dev/full", "dev/full"},
    {"/dev/random", "dev/random"}, {"/dev/urandom", "dev/urandom"}, {"/dev/tty", "dev/tty"},
};

static const struct node links[] = {
    {"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},  {"/proc/self/fd/1", "dev/stdout"},
    {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"},
};

/// Files of /proc that get /dev/null over them: those that are open to others than root and tell of the machine, of
/// its other processes, or of when its users press a key. Root is not mapped inside, so the rest of what is root's
/// (kmsg, sysrq-trigger, slabinfo, kpagecount …) can not be opened whatever its name.
static const char *const masked_files[] = {
    "proc/keys",        "proc/key-users",  "proc/kallsyms",   "proc/timer_list", "proc/sched_debug",
    "proc/modules",     "proc/mtrr",       "proc/config.gz",  "proc/iomem",      "proc/ioports",
    "proc/kcore",       "proc/interrupts", "proc/cmdline",    "proc/consoles",   "proc/diskstats",
    "proc/partitions",  "proc/swaps",      "proc/locks",      "proc/latency_stats",
    "proc/softirqs",    "proc/schedstat",
};

/// Directories of /proc that get an empty one over them. The files of `pressure` can even be written: by anybody, and
/// each writer costs the kernel a thread.
static const char *const masked_directories[] = {
    "proc/acpi", "proc/asound", "proc/bus", "proc/driver", "proc/fs", "proc/irq", "proc/pressure", "proc/scsi",
};

/// A mount of its own, so that one call makes all of it read-only, and noexec; not nodev, for once: it is devices that
/// are wanted.
static int make_devices(const struct sbx_context *context) {
    struct mount_attr closed = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                                .attr_clr = MOUNT_ATTR_NODEV};
    char memory[80];
    unsigned long long size = context->spec->limits.scratch_bytes;
    snprintf(memory, sizeof memory, "size=%llu,nr_inodes=16384,mode=1777", size);
    if (mkdir("dev", 0755) != 0 && errno != EEXIST) return -errno;
    if (sbx_mount("dev", "dev", NULL, MS_BIND, NULL) != 0) return -errno;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        if (mknod(devices[i].inside, S_IFREG | 0444, 0) != 0) return -errno;
        if (sbx_mount(devices[i].outside, devices[i].inside, NULL, MS_BIND, NULL) != 0) return -errno;
    }
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        if (symlink(links[i].outside, links[i].inside) != 0) return -errno;
    }
    if (mkdir("dev/pts", 0755) != 0 || mkdir("dev/shm", 0755) != 0 || mkdir("dev/mqueue", 0755) != 0) return -errno;
    if (sbx_mount_setattr(AT_FDCWD, "dev", AT_RECURSIVE, &closed) != 0) return -errno;
    if (sbx_mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, terminals) != 0) return -errno;
    // Not for its names: Landlock lets mq_open pass only where this directory can be named in a rule.
    if (sbx_mount("mqueue", "dev/mqueue", "mqueue", COVER_FLAGS, NULL) != 0 && errno != ENODEV) return -errno;
    return sbx_mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, memory) != 0 ? -errno : 0;
}

/// The covered files are /dev/null now; anything else means that the cover did not take.
static int mask_files(void) {
    for (size_t i = 0; i < sizeof masked_files / sizeof masked_files[0]; i++) {
        struct stat seen;
        if (sbx_mount("dev/null", masked_files[i], NULL, MS_BIND, NULL) != 0) {
            if (errno == ENOENT) continue;
            return -errno;
        }
        if (stat(masked_files[i], &seen) != 0) return -errno;
        if (!S_ISCHR(seen.st_mode) || seen.st_rdev != makedev(1, 3)) return -ENOTRECOVERABLE;
    }
    return 0;
}

/// The first cover is `empty` itself, the others are bound from there: what is not attached can not be bound.
static int mask_directories(int empty) {
    const char *cover = NULL;
    struct stat wanted;
    if (fstat(empty, &wanted) != 0) return -errno;
    for (size_t i = 0; i < sizeof masked_directories / sizeof masked_directories[0]; i++) {
        const char *path = masked_directories[i];
        struct stat seen;
        int result = cover != NULL ? sbx_mount(cover, path, NULL, MS_BIND, NULL)
                                   : sbx_move_mount(empty, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
        if (result != 0 && errno == ENOENT) continue;
        if (result != 0 || stat(path, &seen) != 0) return -errno;
        if (seen.st_dev != wanted.st_dev || seen.st_ino != wanted.st_ino) return -ENOTRECOVERABLE;
        cover = path;
    }
    return 0;
}

/// Makes /proc/sys read-only, and checks that it is.
static int protect_settings(void) {
    struct statvfs seen;
    if (sbx_mount("proc/sys", "proc/sys", NULL, MS_BIND, NULL) != 0) return -errno;
    if (sbx_mount(NULL, "proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | COVER_FLAGS, NULL) != 0) return -errno;
    if (statvfs("proc/sys", &seen) != 0) return -errno;
    return (seen.f_flag & ST_RDONLY) != 0 ? 0 : -ENOTRECOVERABLE;
}

/// The empty directory that /proc will be mounted on becomes the cover of others: a file system less to make.
static int make_proc(struct sbx_context *context, int *empty) {
    if (mkdir("proc", 0555) != 0) return -errno;
    int result = sbx_mount_clone(AT_FDCWD, "proc", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, empty);
    if (result != 0) return result;
    if (sbx_mount("proc", "proc", "proc", COVER_FLAGS, NULL) != 0) return -errno;
    // Opened while it can be: step 9 writes it, nobody after.
    context->namespace_limit = open("proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
    return context->namespace_limit < 0 ? -errno : sbx_bound_kernel(context);
}

/// Step 6. After step 5, which made the root; before step 7, as the devices come from the host.
int sbx_make_kernel_files(struct sbx_context *context) {
    if (fchdir(context->root) != 0) return -errno;
    int result = make_devices(context);
    int empty = -1;
    if (result == 0) result = make_proc(context, &empty);
    if (result == 0) result = sbx_cover_statistics();
    if (result == 0) result = sbx_show_groups(context);
    if (result == 0) result = mask_files();
    if (result == 0) result = mask_directories(empty);
    sbx_close(&empty);
    return result == 0 ? protect_settings() : result;
}
