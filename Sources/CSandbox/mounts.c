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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_calls.h"

int sbx_mount_clone(int directory, const char *path, uint64_t attributes, int *tree) {
    unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | AT_RECURSIVE;
    int cloned = sbx_open_tree(directory, path, flags);
    if (cloned < 0) return -errno;
    // Private, or what is mounted inside would show outside: a clone stays in its original's peer group.
    struct mount_attr wanted = {.attr_set = attributes, .propagation = MS_PRIVATE};
    int result = 0;
    struct stat found;
    if (fstat(cloned, &found) != 0) {
        result = -errno;
    } else if (S_ISLNK(found.st_mode)) {
        result = -ELOOP;
    } else if (sbx_mount_setattr(cloned, "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted) != 0) {
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
    int system = sbx_fsopen(type, FSOPEN_CLOEXEC);
    if (system < 0) return -errno;
    int result = 0;
    for (; result == 0 && options[0] != NULL; options += 2) {
        if (sbx_fsconfig(system, FSCONFIG_SET_STRING, options[0], options[1]) != 0) result = -errno;
    }
    if (result == 0 && sbx_fsconfig(system, FSCONFIG_CMD_CREATE, NULL, NULL) != 0) result = -errno;
    if (result == 0) {
        int made = sbx_fsmount(system, FSMOUNT_CLOEXEC, (unsigned int)attributes);
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

/// Walks down to `path`, making the directories that are not there; `*parent` is open and the caller's.
static int make_walk(int root, const char *path, int *parent) {
    char part[NAME_MAX + 1];
    int at = -1;
    int result = sbx_open_beneath(root, ".", O_PATH | O_DIRECTORY, 0, &at);
    while (result == 0 && *path != 0) {
        size_t length = strcspn(path, "/");
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
        path += length;
        if (*path == '/') path++;
    }
    if (result != 0 && at >= 0) close(at);
    if (result == 0) *parent = at;
    return result;
}

/// Where a path is to be made: `name` in the directory `descriptor`, which is the root itself or `opened`.
struct place {
    int descriptor;
    int opened;
    const char *name;
};

/// Finds or makes the directories above the last component of `path`. That component alone can not lead away.
static int open_place(int root, const char *path, struct place *place) {
    char above[PATH_MAX];
    while (*path == '/') path++;
    const char *last = strrchr(path, '/');
    *place = (struct place){.descriptor = root, .opened = -1, .name = last == NULL ? path : last + 1};
    if (last == NULL) return 0;
    if ((size_t)(last - path) >= sizeof above) return -ENAMETOOLONG;
    memcpy(above, path, (size_t)(last - path));
    above[last - path] = 0;
    int result = sbx_open_beneath(root, above, O_PATH | O_DIRECTORY, 0, &place->opened);
    if (result == -ENOENT) result = make_walk(root, above, &place->opened);
    place->descriptor = place->opened;
    return result;
}

static int close_place(const struct place *place, int result) {
    if (place->opened >= 0) close(place->opened);
    return result;
}

static int write_new_file(const struct place *place, const char *content) {
    int file = openat(place->descriptor, place->name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0) return -errno;
    size_t length = strlen(content);
    ssize_t written = length == 0 ? 0 : write(file, content, length);
    int result = written < 0 ? -errno : 0;
    if (result == 0 && (size_t)written != length) result = -ENOSPC;
    close(file);
    return result;
}

int sbx_mount_attach(int tree, int directory, int root, const char *path) {
    struct place place;
    int result = open_place(root, path, &place);
    if (result != 0) return result;
    // What is there stays, also on a read-only file system; what could not be made is missed by the mount.
    if (directory) {
        if (mkdirat(place.descriptor, place.name, 0755) != 0 && errno != EEXIST && errno != EROFS) result = -errno;
    } else if (mknodat(place.descriptor, place.name, S_IFREG | 0444, 0) != 0 && errno != EEXIST && errno != EROFS) {
        result = -errno;
    }
    // Without MOVE_MOUNT_T_SYMLINKS: a link is not followed, and nothing can be mounted on one.
    if (result == 0 && sbx_move_mount(tree, "", place.descriptor, place.name, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
        result = -errno;
    }
    return close_place(&place, result);
}

int sbx_make_directory(int root, const char *path, mode_t mode) {
    struct place place;
    int result = open_place(root, path, &place);
    if (result != 0) return result;
    if (mkdirat(place.descriptor, place.name, mode) != 0 && errno != EEXIST) result = -errno;
    return close_place(&place, result);
}

int sbx_make_file(int root, const char *path, const char *content) {
    struct place place;
    int result = open_place(root, path, &place);
    return result != 0 ? result : close_place(&place, write_new_file(&place, content));
}

int sbx_make_link(int root, const char *path, const char *content) {
    struct place place;
    int result = open_place(root, path, &place);
    if (result != 0) return result;
    if (symlinkat(content, place.descriptor, place.name) != 0) result = -errno;
    return close_place(&place, result);
}
