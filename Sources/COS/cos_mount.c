// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "cos_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

enum {
    // Somebody else may take the free device first, this often in a row.
    COS_LOOP_ATTEMPTS = 256,
    // That of the file system on it, so that no request is smaller than what direct I/O takes.
    COS_LOOP_BLOCK = 4096,
};

int cos_separate_mounts(void) {
    /* CLONE_THREAD changes nothing in a process of one thread, and is refused in any other (man 2 unshare). */
    if (unshare(CLONE_NEWNS | CLONE_THREAD) != 0) return -errno;
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 ? 0 : -errno;
}

static int attach_free(int control, int image, int32_t *device, int32_t *number) {
    int free = ioctl(control, LOOP_CTL_GET_FREE);
    if (free < 0) return -errno;
    char path[32];
    snprintf(path, sizeof path, "/dev/loop%d", free);
    int opened = open(path, O_RDWR | O_CLOEXEC);
    if (opened < 0) return -errno;
    struct loop_config config = {
        .fd = (uint32_t)image,
        .block_size = COS_LOOP_BLOCK,
        .info = {.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO},
    };
    if (ioctl(opened, LOOP_CONFIGURE, &config) != 0) {
        int problem = -errno;
        close(opened);
        return problem;
    }
    *device = opened;
    *number = free;
    return 0;
}

int cos_loop_attach(int image, int32_t *device, int32_t *number) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    int result = -EBUSY;
    for (int attempt = 0; result == -EBUSY && attempt < COS_LOOP_ATTEMPTS; attempt++) {
        result = attach_free(control, image, device, number);
    }
    close(control);
    return result;
}

int cos_mount_loop(int32_t number, const char *target) {
    char path[32];
    snprintf(path, sizeof path, "/dev/loop%d", number);
    // barrier=0: a build's fsync need not reach the disk. noinit_itable: the inode tables are holes, which read as zeros.
    const char *options = "discard,barrier=0,noinit_itable,errors=remount-ro";
    return mount(path, target, "ext4", MS_NOATIME | MS_NOSUID | MS_NODEV, options) == 0 ? 0 : -errno;
}

int cos_mount_overlay(int lower, int upper, int work, const char *target) {
    char options[192];
    // By descriptors: a path may hold what divides options. No redirects: what a path of the upper one holds stands at the
    // same path of the whole.
    snprintf(options, sizeof options,
             "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,redirect_dir=off,metacopy=off,"
             "index=off",
             lower, upper, work);
    return mount("overlay", target, "overlay", MS_NOATIME | MS_NOSUID | MS_NODEV, options) == 0 ? 0 : -errno;
}

int cos_unmount(const char *target) {
    return umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : -errno;
}

int cos_memory_file(const char *name, int64_t size, int32_t *file) {
    int made = memfd_create(name, MFD_CLOEXEC);
    if (made < 0) return -errno;
    if (ftruncate(made, (off_t)size) != 0) {
        int problem = -errno;
        close(made);
        return problem;
    }
    *file = made;
    return 0;
}

int64_t cos_next_data(int file, int64_t from) {
    off_t found = lseek(file, (off_t)from, SEEK_DATA);
    return found < 0 ? -errno : found;
}

int64_t cos_next_hole(int file, int64_t from) {
    off_t found = lseek(file, (off_t)from, SEEK_HOLE);
    return found < 0 ? -errno : found;
}
