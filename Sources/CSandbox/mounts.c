// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Mounts by descriptor, and paths that can not be led astray: a build has written below some of them.

#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int sbx_mount_clone(int directory, const char *path, uint64_t attributes, int *tree) {
    unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | AT_RECURSIVE;
    int cloned = open_tree(directory, path, flags);
    if (cloned < 0) return -errno;
    // Private, or what is mounted inside would show outside: a clone stays in its original's peer group.
    struct mount_attr wanted = {.attr_set = attributes, .propagation = MS_PRIVATE};
    int result = 0;
    struct stat found;
    if (fstat(cloned, &found) != 0) {
        result = -errno;
    } else if (S_ISLNK(found.st_mode)) {
        result = -ELOOP;
    } else if (mount_setattr(cloned, "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) != 0) {
        result = -errno;
    }
    if (result != 0) {
        close(cloned);
        return result;
    }
    *tree = cloned;
    return 0;
}

int sbx_mount_make(const char *type, const char *const *options, uint64_t attributes, int *tree) {
    int system = fsopen(type, FSOPEN_CLOEXEC);
    if (system < 0) return -errno;
    int result = 0;
    for (; result == 0 && options[0] != NULL; options += 2) {
        if (fsconfig(system, FSCONFIG_SET_STRING, options[0], options[1], 0) != 0) result = -errno;
    }
    if (result == 0 && fsconfig(system, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) result = -errno;
    if (result == 0) {
        int made = fsmount(system, FSMOUNT_CLOEXEC, (unsigned int)attributes);
        if (made < 0) result = -errno;
        if (made >= 0) *tree = made;
    }
    close(system);
    return result;
}

int sbx_open_beneath(int root, const char *path, uint64_t flags, mode_t mode, int *descriptor) {
    while (*path == '/') path++;
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long opened;
    do {
        opened = syscall(SYS_openat2, root, *path == 0 ? "." : path, &how, sizeof how);
    } while (opened < 0 && (errno == EINTR || errno == EAGAIN));  // EAGAIN: something was renamed meanwhile
    if (opened < 0) return errno > 0 ? -errno : -EIO;
    *descriptor = (int)opened;
    return 0;
}

int sbx_mount_attach(int tree, int root, const char *path) {
    int target = -1;
    int result = sbx_open_beneath(root, path, O_PATH | O_NOFOLLOW, 0, &target);
    if (result != 0) return result;
    unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    if (move_mount(tree, "", target, "", flags) != 0) result = -errno;
    close(target);
    return result;
}

/// Makes the directories above the last component of `path`; `*parent` is open, `*name` points into `path`.
static int make_parents(int root, const char *path, int *parent, const char **name) {
    char part[NAME_MAX + 1];
    while (*path == '/') path++;
    int at = -1;
    int result = sbx_open_beneath(root, ".", O_PATH | O_DIRECTORY, 0, &at);
    for (const char *end = strchr(path, '/'); result == 0 && end != NULL; end = strchr(path, '/')) {
        size_t length = (size_t)(end - path);
        if (length > NAME_MAX) {
            result = -ENAMETOOLONG;
            break;
        }
        memcpy(part, path, length);
        part[length] = 0;
        int next = -1;
        if (mkdirat(at, part, 0755) != 0 && errno != EEXIST && errno != EROFS) result = -errno;
        if (result == 0) result = sbx_open_beneath(at, part, O_PATH | O_DIRECTORY, 0, &next);
        if (result == 0) {
            close(at);
            at = next;
        }
        path = end + 1;
    }
    if (result != 0) {
        if (at >= 0) close(at);
        return result;
    }
    *parent = at;
    *name = path;
    return 0;
}

int sbx_make_directory(int root, const char *path, mode_t mode) {
    int parent = -1;
    const char *name = NULL;
    int result = make_parents(root, path, &parent, &name);
    if (result != 0) return result;
    if (mkdirat(parent, name, mode) != 0 && errno != EEXIST) result = -errno;
    close(parent);
    return result;
}

int sbx_make_file(int root, const char *path, const char *content) {
    int parent = -1;
    int file = -1;
    const char *name = NULL;
    int result = make_parents(root, path, &parent, &name);
    if (result != 0) return result;
    result = sbx_open_beneath(parent, name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644, &file);
    close(parent);
    if (result != 0) return result;
    size_t length = strlen(content);
    ssize_t written = length == 0 ? 0 : write(file, content, length);
    if (written < 0) result = -errno;
    if (written >= 0 && (size_t)written != length) result = -ENOSPC;
    close(file);
    return result;
}

int sbx_make_link(int root, const char *path, const char *content) {
    int parent = -1;
    const char *name = NULL;
    int result = make_parents(root, path, &parent, &name);
    if (result != 0) return result;
    if (symlinkat(content, parent, name) != 0) result = -errno;
    close(parent);
    return result;
}
