// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Step 6: /dev with what a program needs and nothing that leads to hardware; /proc of this PID namespace, with what
// tells of or changes the machine covered, and the covers checked.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "jail.h"
#include "mounts.h"

static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};

static const char *const links[][2] = {
    {"dev/fd", "/proc/self/fd"},         {"dev/stdin", "/proc/self/fd/0"}, {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},   {"dev/ptmx", "pts/ptmx"},
};

/// Files of /proc that get /dev/null over them, where they are open to others than root. Root is not mapped inside,
/// so the rest of what is root's (kcore, kmsg, sysrq-trigger, slabinfo …) can not be opened whatever its name.
static const char *const masked_files[] = {
    "keys",    "key-users", "kallsyms",    "timer_list", "sched_debug", "latency_stats",
    "modules", "mtrr",      "config.gz",   "iomem",      "ioports",     "kcore",
};

/// Directories of /proc that get an empty one over them.
static const char *const masked_directories[] = {"acpi", "asound", "bus", "driver", "fs", "irq", "scsi"};

static int bind_device(int root, const char *name) {
    char path[32];
    int tree = -1;
    snprintf(path, sizeof path, "/dev/%s", name);
    // Not nodev, for once: it is a device that is wanted.
    uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    int result = sbx_mount_clone(AT_FDCWD, path, attributes, &tree);
    if (result == 0) result = sbx_make_file(root, path, "");
    if (result == 0) result = sbx_mount_attach(tree, root, path);
    sbx_close(&tree);
    return result;
}

static int mount_at(int root, const char *path, const char *type, const char *const *options, uint64_t attributes) {
    int tree = -1;
    int result = sbx_make_directory(root, path, 0755);
    if (result == 0) result = sbx_mount_make(type, options, attributes | MOUNT_ATTR_NOSUID, &tree);
    if (result == 0) result = sbx_mount_attach(tree, root, path);
    sbx_close(&tree);
    return result;
}

static int make_devices(struct sbx_context *context) {
    char size[24];
    snprintf(size, sizeof size, "%llu", (unsigned long long)context->spec->limits.scratch_bytes);
    const char *const terminals[] = {"ptmxmode", "0666", "mode", "0600", NULL};
    const char *const memory[] = {"size", size, "nr_inodes", "16384", "mode", "1777", NULL};
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof devices / sizeof devices[0]; i++) {
        result = bind_device(context->root, devices[i]);
    }
    for (size_t i = 0; result == 0 && i < sizeof links / sizeof links[0]; i++) {
        result = sbx_make_link(context->root, links[i][0], links[i][1]);
    }
    if (result == 0) result = mount_at(context->root, "dev/pts", "devpts", terminals, MOUNT_ATTR_NOEXEC);
    if (result == 0) result = mount_at(context->root, "dev/shm", "tmpfs", memory, MOUNT_ATTR_NODEV);
    return result;
}

/// Covers `path` of /proc with a clone of `cover`; 1 when it is not there.
static int cover(int proc, const char *path, int directory, const char *with) {
    int tree = -1;
    struct stat found;
    if (fstatat(proc, path, &found, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 1 : -errno;
    uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
    int result = sbx_mount_clone(directory, with, attributes, &tree);
    if (result == 0) result = sbx_mount_attach(tree, proc, path);
    sbx_close(&tree);
    return result;
}

/// The covered files are /dev/null now; anything else means that the cover did not take.
static int mask_files(const struct sbx_context *context) {
    for (size_t i = 0; i < sizeof masked_files / sizeof masked_files[0]; i++) {
        struct stat seen;
        if (fstatat(context->proc, masked_files[i], &seen, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if ((seen.st_mode & (S_IROTH | S_IWOTH)) == 0) continue;
        int result = cover(context->proc, masked_files[i], context->root, "dev/null");
        if (result == 1) continue;
        if (result != 0) return result;
        if (fstatat(context->proc, masked_files[i], &seen, 0) != 0) return -errno;
        if (!S_ISCHR(seen.st_mode) || seen.st_rdev != makedev(1, 3)) return -ENOTRECOVERABLE;
    }
    return 0;
}

static int mask_directories(const struct sbx_context *context) {
    int empty = -1;
    struct stat wanted;
    struct stat seen;
    const char *const options[] = {"size", "4k", "nr_inodes", "1", "mode", "0555", NULL};
    int result = sbx_mount_make("tmpfs", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, &empty);
    if (result != 0) return result;
    // The first cover is the mount itself, the others are its clones: only an attached mount can be cloned.
    if (fstat(empty, &wanted) != 0) result = -errno;
    int attached = 0;
    for (size_t i = 0; result == 0 && i < sizeof masked_directories / sizeof masked_directories[0]; i++) {
        const char *path = masked_directories[i];
        if (fstatat(context->proc, path, &seen, AT_SYMLINK_NOFOLLOW) != 0) continue;
        result = attached ? cover(context->proc, path, empty, ".") : sbx_mount_attach(empty, context->proc, path);
        attached = 1;
        if (result == 0 && fstatat(context->proc, path, &seen, 0) != 0) result = -errno;
        if (result == 0 && seen.st_dev != wanted.st_dev) result = -ENOTRECOVERABLE;
    }
    close(empty);
    return result;
}

/// Makes /proc/sys read-only, and checks that it is.
static int protect_settings(const struct sbx_context *context) {
    int settings = -1;
    struct statvfs seen;
    int result = cover(context->proc, "sys", context->proc, "sys");
    if (result == 0) result = sbx_open_beneath(context->proc, "sys", O_RDONLY | O_DIRECTORY, 0, &settings);
    if (result != 0) return result;
    if (fstatvfs(settings, &seen) != 0) {
        result = -errno;
    } else if ((seen.f_flag & ST_RDONLY) == 0) {
        result = -ENOTRECOVERABLE;
    }
    close(settings);
    return result;
}

static int make_proc(struct sbx_context *context) {
    const char *const options[] = {NULL};
    uint64_t attributes = MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV;
    int result = mount_at(context->root, "proc", "proc", options, attributes);
    if (result != 0) return result;
    result = sbx_open_beneath(context->root, "proc", O_RDONLY | O_DIRECTORY, 0, &context->proc);
    if (result != 0) return result;
    // Opened while it can be: step 9 writes it, nobody after.
    return sbx_open_beneath(context->proc, "sys/user/max_user_namespaces", O_WRONLY, 0, &context->namespace_limit);
}

/// Step 6. After step 5, which made the root; before step 7, as the devices come from the host.
int sbx_make_kernel_files(struct sbx_context *context) {
    int result = make_devices(context);
    if (result == 0) result = make_proc(context);
    if (result == 0) result = mask_files(context);
    if (result == 0) result = mask_directories(context);
    if (result == 0) result = protect_settings(context);
    sbx_close(&context->proc);
    return result;
}
