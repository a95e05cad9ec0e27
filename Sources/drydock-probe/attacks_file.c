// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Files of the host, and files that must not be made.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attacks.h"

/// Of a file that must not be made; removes it.
static enum outcome must_not_make(const char *path) {
    int made = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (made >= 0) unlink(path);
    return must_not_open(made);
}

static enum outcome toolchain(void) { return must_not_make("/usr/drydock-probe"); }

static enum outcome configuration(void) { return must_not_make("/etc/drydock-probe"); }

static enum outcome top(void) { return must_not_make("/drydock-probe"); }

static enum outcome devices(void) { return must_not_make("/dev/drydock-probe"); }

static enum outcome kernel_settings(void) { return must_not_open(open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC)); }

static enum outcome kernel_requests(void) { return must_not_open(open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC)); }

static enum outcome kernel_memory(void) {
    struct stat seen;
    // Covered by /dev/null, or not to be opened.
    int core = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
    if (core < 0) return HELD;
    int covered = fstat(core, &seen) == 0 && S_ISCHR(seen.st_mode) && seen.st_rdev == makedev(1, 3);
    close(core);
    return covered ? HELD : BREACH;
}

static enum outcome limits_of_its_own(void) {
    const char *const files[] = {
        "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (must_not_open(open(files[i], O_WRONLY | O_CLOEXEC)) == BREACH) return BREACH;
    }
    return HELD;
}

/// Directories that every machine has and no sandbox shows.
static enum outcome hosts_files(void) {
    const char *const paths[] = {"/root", "/home", "/var/lib", "/boot", "/srv", "/mnt", "/etc/shadow", "/etc/ssh", "/run/systemd"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (access(paths[i], F_OK) == 0) return BREACH;
    }
    return HELD;
}

/// Through the root and the directory of the init.
static enum outcome inits_files(void) {
    if (must_not_open(open("/proc/1/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == BREACH) return BREACH;
    if (must_not_open(open("/proc/1/cwd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == BREACH) return BREACH;
    return must_not_open(open("/proc/1/mem", O_RDONLY | O_CLOEXEC));
}

static enum outcome set_user_file(void) {
    const char path[] = "/tmp/drydock-probe-user";
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    if (file < 0) return UNSURE;
    enum outcome outcome = must_fail(fchmod(file, 04700));
    close(file);
    unlink(path);
    return outcome;
}

static enum outcome set_user_mounts(void) {
    struct statvfs seen;
    const char *const paths[] = {"/", "/usr", "/tmp", "/dev/shm"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (statvfs(paths[i], &seen) != 0) return UNSURE;
        if ((seen.f_flag & ST_NOSUID) == 0) return BREACH;
    }
    return HELD;
}

static enum outcome device_file(void) {
    const char path[] = "/tmp/drydock-probe-device";
    int result = mknod(path, S_IFCHR | 0600, makedev(1, 3));
    if (result == 0) unlink(path);
    return must_fail(result);
}

/// Of the machine's disks.
static enum outcome hosts_devices(void) {
    const char *const paths[] = {"/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/kvm", "/dev/sda", "/dev/vda", "/dev/loop-control"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (access(paths[i], F_OK) == 0) return BREACH;
    }
    return HELD;
}

/// This program, its parent, the init: whoever else is seen is not of this sandbox.
static enum outcome others_processes(void) {
    DIR *processes = opendir("/proc");
    if (processes == NULL) return UNSURE;
    int count = 0;
    for (const struct dirent *entry = readdir(processes); entry != NULL; entry = readdir(processes)) {
        count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    }
    closedir(processes);
    return count <= 3 ? HELD : BREACH;
}

/// What the host had open when it started the sandbox.
static enum outcome hosts_descriptors(void) {
    for (int descriptor = 3; descriptor < 256; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0) return BREACH;
    }
    return HELD;
}

const struct attack file_attacks[] = {
    {"write-toolchain", toolchain},
    {"write-configuration", configuration},
    {"write-top", top},
    {"write-devices", devices},
    {"kernel-settings", kernel_settings},
    {"kernel-requests", kernel_requests},
    {"kernel-memory", kernel_memory},
    {"limits-of-its-own", limits_of_its_own},
    {"hosts-files", hosts_files},
    {"inits-files", inits_files},
    {"set-user-file", set_user_file},
    {"set-user-mounts", set_user_mounts},
    {"device-file", device_file},
    {"hosts-devices", hosts_devices},
    {"others-processes", others_processes},
    {"hosts-descriptors", hosts_descriptors},
};

const size_t file_attack_count = sizeof file_attacks / sizeof file_attacks[0];
