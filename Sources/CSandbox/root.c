// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Steps 4, 5 and 7: the file system of the sandbox.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"
#include "mounts.h"

/// Where the new root hangs until it becomes the root; any directory that every host has.
static const char *const staging = "/usr";

static uint64_t entry_attributes(const struct sbx_entry *entry) {
    uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if ((entry->head.options & SBX_ENTRY_WRITABLE) == 0) attributes |= MOUNT_ATTR_RDONLY;
    if ((entry->head.options & SBX_ENTRY_NO_EXEC) != 0) attributes |= MOUNT_ATTR_NOEXEC;
    return attributes;
}

/// Clones what the entries name and is not cloned yet; -1 stays where an optional source is missing.
int sbx_trees_clone(struct sbx_context *context) {
    const struct sbx_spec *spec = context->spec;
    for (uint32_t i = 0; i < spec->entry_count; i++) {
        const struct sbx_entry *entry = &spec->entries[i];
        if (entry->head.kind != SBX_ENTRY_BIND || context->trees[i] >= 0) continue;
        int result = sbx_mount_clone(AT_FDCWD, entry->source, entry_attributes(entry), &context->trees[i]);
        int optional = (entry->head.options & SBX_ENTRY_OPTIONAL) != 0;
        if (result == -ENOENT && optional) continue;
        if (result != 0) return result;
    }
    return 0;
}

/// Step 4. Before any mount of ours: else it would show in the host's namespace.
int sbx_make_private(struct sbx_context *context) {
    (void)context;
    return sbx_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ? -errno : 0;
}

static int attach_bind(struct sbx_context *context, const struct sbx_entry *entry, int *tree) {
    struct stat found;
    if (*tree < 0) return 0;
    if (fstat(*tree, &found) != 0) return -errno;
    int result = sbx_mount_attach(*tree, S_ISDIR(found.st_mode), context->root, entry->target);
    sbx_close(tree);
    return result;
}

static int attach_scratch(struct sbx_context *context, const struct sbx_entry *entry) {
    char size[24];
    int tree = -1;
    snprintf(size, sizeof size, "%llu", (unsigned long long)context->spec->limits.scratch_bytes);
    const char *const options[] = {"size", size, "nr_inodes", "65536", "mode", "1777", NULL};
    uint64_t attributes = entry_attributes(entry) & ~(uint64_t)MOUNT_ATTR_RDONLY;
    int result = sbx_mount_make("tmpfs", options, attributes, &tree);
    if (result == 0) result = sbx_mount_attach(tree, 1, context->root, entry->target);
    sbx_close(&tree);
    return result;
}

static int attach_entry(struct sbx_context *context, uint32_t index) {
    const struct sbx_entry *entry = &context->spec->entries[index];
    switch ((enum sbx_entry_kind)entry->head.kind) {
    case SBX_ENTRY_BIND: return attach_bind(context, entry, &context->trees[index]);
    case SBX_ENTRY_SCRATCH: return attach_scratch(context, entry);
    case SBX_ENTRY_LINK: return sbx_make_link(context->root, entry->target, entry->content);
    case SBX_ENTRY_FILE: return sbx_make_file(context->root, entry->target, entry->content);
    case SBX_ENTRY_DIRECTORY: return sbx_make_directory(context->root, entry->target, 0755);
    }
    return -EINVAL;
}

/// Step 5. The sources are cloned before the staging place hides a part of the host.
int sbx_make_root(struct sbx_context *context) {
    const char *const options[] = {"size", "4m", "nr_inodes", "16384", "mode", "0755", NULL};
    int result = sbx_trees_clone(context);
    if (result != 0) return result;
    result = sbx_mount_make("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &context->root);
    if (result != 0) return result;
    if (sbx_move_mount(context->root, "", AT_FDCWD, staging, MOVE_MOUNT_F_EMPTY_PATH) != 0) return -errno;
    for (uint32_t i = 0; result == 0 && i < context->spec->entry_count; i++) {
        result = attach_entry(context, i);
    }
    return result;
}

/// Step 7. From here on no path leads to the host; its whole tree is detached.
int sbx_pivot(struct sbx_context *context) {
    struct mount_attr wanted = {.attr_set = MOUNT_ATTR_RDONLY};
    if (sbx_mount_setattr(context->root, "", AT_EMPTY_PATH, &wanted) != 0) return -errno;
    if (fchdir(context->root) != 0) return -errno;
    if (syscall(SYS_pivot_root, ".", ".") != 0) return -errno;
    // The old root lies on top of the new one now; "." still is the old one (man 2 pivot_root, "pivot_root(\".\", \".\")").
    if (sbx_umount2(".", SBX_MNT_DETACH) != 0) return -errno;
    if (chdir("/") != 0) return -errno;
    struct stat here;
    struct stat root;
    if (stat(".", &here) != 0 || fstat(context->root, &root) != 0) return -errno;
    sbx_close(&context->root);
    return here.st_dev == root.st_dev && here.st_ino == root.st_ino ? 0 : -ENOTRECOVERABLE;
}
