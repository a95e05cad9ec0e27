// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Limits of the sandbox as a whole, where the machine lets us make control groups: v2 where this process's own group
// is delegated, else v1, where every controller has a tree of its own. Both below the group this process is in.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "jail.h"
#include "sbx_jail.h"

/// The name of a group tells the jail that made it, by number and time: a number alone comes back, and what it had left
/// would be taken for the next one's.
static const char prefix[] = "drydock-jail-";

static const char *const controllers[SBX_CGROUP_GROUPS] = {"memory", "pids", "cpu"};
static const uint32_t bits[SBX_CGROUP_GROUPS] = {SBX_LIMIT_MEMORY, SBX_LIMIT_PROCESSES, SBX_LIMIT_CPU};

/// Whether the comma-separated `list` names `controller`.
static int lists(const char *list, const char *controller) {
    size_t length = strlen(controller);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        if (*at == ',') at++;
        if (strncmp(at, controller, length) == 0 && (at[length] == 0 || at[length] == ',')) return 1;
    }
    return 0;
}

/// Reads the list of this process's groups.
static int read_groups(char *groups, size_t size) {
    int file = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t count = read(file, groups, size - 1);
    int result = count < 0 ? -errno : 0;
    close(file);
    groups[count < 0 ? 0 : count] = 0;
    return result == 0 && (size_t)count == size - 1 ? -ENAMETOOLONG : result;
}

/// Finds the directory of this process's group in the list `groups`: of `controller`'s v1 tree, or of v2 where it is
/// NULL. A line is "number:controllers:path" (man 7 cgroups).
static int own_group(const char *groups, const char *controller, char *path, size_t size) {
    for (const char *line = groups; line != NULL && *line != 0; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        char list[256] = "";
        char group[1024] = "";
        int v2 = sscanf(line, "%*d::%1023[^\n]", group) == 1;
        if (!v2 && sscanf(line, "%*d:%255[^:]:%1023[^\n]", list, group) != 2) continue;
        if (controller == NULL ? !v2 : !lists(list, controller)) continue;
        if (strstr(group, "..") != NULL) return -ENOENT;  // outside of our cgroup namespace
        int needed = snprintf(path, size, "/sys/fs/cgroup%s%s%s", v2 ? "" : "/", list, group);
        return needed < 0 || (size_t)needed >= size ? -ENAMETOOLONG : 0;
    }
    return -ENOENT;
}

/// When a process began, in the kernel's ticks; 0 where there is none of this number, or it can not be read.
static uint64_t start_of(pid_t process) {
    char path[32];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // Field 22; field 2 is a name of any shape in parentheses (man 5 proc_pid_stat).
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
    return at == NULL ? 0 : strtoull(at, NULL, 10);
}

/// The time since the machine started, as start_of tells it, but without having the kernel write down all of a process.
static uint64_t ticks_now(void) {
    struct timespec time;
    long each = sysconf(_SC_CLK_TCK);
    if (each <= 0 || clock_gettime(CLOCK_BOOTTIME, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * (uint64_t)each + (uint64_t)time.tv_nsec / (1000000000U / (uint64_t)each);
}

static int write_number(int directory, const char *file, uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return sbx_write_file(directory, file, text);
}

static uint64_t socket_memory(const struct sbx_limits *limits) {
    const uint64_t most = 64U << 20;
    return limits->memory_bytes / 4 < most ? limits->memory_bytes / 4 : most;
}

/// The init counts too, and is not the build's: hence one process more.
static int limit_v1(const struct sbx_limits *limits, int directory, int index) {
    if (bits[index] == SBX_LIMIT_MEMORY) {
        int result = write_number(directory, "memory.limit_in_bytes", limits->memory_bytes);
        // What waits in sockets is counted by itself here, and not at all without a limit. v2 counts it as memory.
        int sockets = result == 0 ? write_number(directory, "memory.kmem.tcp.limit_in_bytes", socket_memory(limits)) : 0;
        if (sockets != 0 && sockets != -ENOENT) return sockets;
        // Counts swap too, and is there only where the kernel accounts for it.
        int swap = result == 0 ? write_number(directory, "memory.memsw.limit_in_bytes", limits->memory_bytes) : 0;
        return result == 0 && swap != 0 && swap != -ENOENT ? swap : result;
    }
    if (bits[index] == SBX_LIMIT_PROCESSES) return write_number(directory, "pids.max", limits->processes + 1);
    if (limits->cpu_millis == 0) return 0;
    return write_number(directory, "cpu.cfs_quota_us", limits->cpu_millis * 100);  // of a period of 100 ms
}

static int limit_v2(const struct sbx_limits *limits, int directory) {
    char quota[48];
    int result = write_number(directory, "memory.max", limits->memory_bytes);
    int swap = result == 0 ? sbx_write_file(directory, "memory.swap.max", "0") : 0;
    if (swap != 0 && swap != -ENOENT) result = swap;
    if (result == 0) result = sbx_write_file(directory, "memory.oom.group", "1");
    if (result == 0) result = write_number(directory, "pids.max", limits->processes + 1);
    if (result != 0 || limits->cpu_millis == 0) return result;
    snprintf(quota, sizeof quota, "%" PRIu64 " 100000", limits->cpu_millis * 100);
    return sbx_write_file(directory, "cpu.max", quota);
}

/// Makes the group `name` below `path`; its descriptors go into slot `index`.
static int make_group(struct sbx_cgroup *cgroup, int index, const char *path) {
    int parent = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return -errno;
    cgroup->parents[index] = parent;
    if (mkdirat(parent, cgroup->name, 0755) != 0) return -errno;
    cgroup->directories[index] = openat(parent, cgroup->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return cgroup->directories[index] < 0 ? -errno : 0;
}

static void forget_group(struct sbx_cgroup *cgroup, int index) {
    sbx_close(&cgroup->joins[index]);
    if (cgroup->directories[index] >= 0) unlinkat(cgroup->parents[index], cgroup->name, AT_REMOVEDIR);
    sbx_close(&cgroup->directories[index]);
    sbx_close(&cgroup->parents[index]);
}

static int create_v1(struct sbx_context *context, const char *groups, int index) {
    char path[1300];
    struct sbx_cgroup *cgroup = &context->cgroup;
    int result = own_group(groups, controllers[index], path, sizeof path);
    if (result == 0) result = make_group(cgroup, index, path);
    if (result == 0) result = limit_v1(&context->spec->limits, cgroup->directories[index], index);
    if (result == 0) {
        // `tasks` and not `cgroup.procs`: a thread that moves itself waits for no grace period of the scheduler.
        cgroup->joins[index] = openat(cgroup->directories[index], "tasks", O_WRONLY | O_CLOEXEC);
        if (cgroup->joins[index] < 0) result = -errno;
    }
    if (result != 0) forget_group(cgroup, index);
    if (result == 0) cgroup->limits |= bits[index];
    return result;
}

/// The v2 group that sandboxes get theirs in. A group with processes can not give controllers to its children, so the
/// caller sits in a leaf beside ours. -ENOENT where v2 has no controllers, or is not where it should be.
static int group_of_hosts(const char *groups, char *path, size_t size) {
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) != 0) return -ENOENT;
    int result = own_group(groups, NULL, path, size);
    char *leaf = result == 0 ? strrchr(path, '/') : NULL;
    if (leaf != NULL && strcmp(leaf, "/" SBX_CGROUP_HOST_LEAF) == 0) *leaf = 0;
    return result;
}

static int create_v2(struct sbx_context *context, const char *groups) {
    char path[1300];
    struct sbx_cgroup *cgroup = &context->cgroup;
    int result = group_of_hosts(groups, path, sizeof path);
    if (result == 0) result = make_group(cgroup, 0, path);
    if (result == 0) result = limit_v2(&context->spec->limits, cgroup->directories[0]);
    if (result != 0) forget_group(cgroup, 0);
    if (result == 0) cgroup->unified = 1;
    if (result == 0) cgroup->limits = SBX_LIMIT_MEMORY | SBX_LIMIT_PROCESSES | SBX_LIMIT_CPU;
    return result;
}

/// Whether `result` means that there are no groups for us here, so that the level is lower; or success. Anything else, as
/// a group of this name that is there already, is a failure, and never a sandbox without limits.
static int is_absent(int result) {
    return result == 0 || result == -ENOENT || result == -EACCES || result == -EPERM || result == -EROFS
           || result == -ENOTDIR || result == -ENODEV;
}

int sbx_cgroup_create(struct sbx_context *context) {
    struct sbx_cgroup *cgroup = &context->cgroup;
    snprintf(cgroup->name, sizeof cgroup->name, "%s%d-%" PRIu64, prefix, getpid(), ticks_now());
    char groups[8192];
    int listed = read_groups(groups, sizeof groups);
    int result = listed == 0 ? create_v2(context, groups) : listed;
    if (!is_absent(result)) return result;
    for (int i = 0; listed == 0 && result != 0 && i < SBX_CGROUP_GROUPS; i++) {
        int made = create_v1(context, groups, i);
        if (!is_absent(made)) return made;
        if (made != 0 && i + 1 == SBX_CGROUP_GROUPS && cgroup->limits == 0) result = made;
    }
    const uint32_t wanted = SBX_LIMIT_MEMORY | SBX_LIMIT_PROCESSES;
    int required = (context->spec->settings.options & SBX_OPTION_REQUIRE_CGROUPS) != 0;
    if (!required || (cgroup->limits & wanted) == wanted) return 0;
    return result != 0 ? result : -ENOTSUP;
}

int sbx_join_cgroup(struct sbx_context *context) {
    for (int i = 0; i < SBX_CGROUP_GROUPS; i++) {
        int join = context->cgroup.joins[i];
        if (join >= 0 && write(join, "0", 1) != 1) return -errno;
        sbx_close(&context->cgroup.joins[i]);
    }
    // Once all groups are joined: they are the root of what is seen inside, and their names are not.
    return unshare(CLONE_NEWCGROUP) != 0 ? -errno : 0;
}

/// Reads a file of numbers: the number alone, or the one after `key`; 0 where there is none.
static uint64_t read_number(int directory, const char *file, const char *key) {
    char text[1024];
    if (directory < 0) return 0;
    int opened = openat(directory, file, O_RDONLY | O_CLOEXEC);
    if (opened < 0) return 0;
    ssize_t count = read(opened, text, sizeof text - 1);
    close(opened);
    if (count <= 0) return 0;
    text[count] = 0;
    size_t length = strlen(key);
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, length) == 0) return strtoull(line + length, NULL, 10);
    }
    return 0;
}

void sbx_cgroup_usage(const struct sbx_cgroup *cgroup, struct sbx_record *record) {
    int memory = cgroup->directories[0];
    int processes = cgroup->unified ? memory : cgroup->directories[1];
    const char *peak = cgroup->unified ? "memory.peak" : "memory.max_usage_in_bytes";
    uint64_t bytes = read_number(memory, peak, "");
    if (bytes > 0) record->peak_bytes = bytes;
    record->oom_kills = cgroup->unified ? read_number(memory, "memory.events", "oom_kill ")
                                        : read_number(memory, "memory.oom_control", "oom_kill ");
    record->process_denials = read_number(processes, "pids.events", "max ");
    record->peak_processes = read_number(processes, "pids.peak", "");
}

void sbx_cgroup_kill(const struct sbx_cgroup *cgroup) {
    // Without v2 the end of the PID namespace has to do, which nothing in it can escape either.
    if (cgroup->unified) sbx_write_file(cgroup->directories[0], "cgroup.kill", "1");
}

void sbx_cgroup_remove(struct sbx_cgroup *cgroup) {
    for (int i = 0; i < SBX_CGROUP_GROUPS; i++) forget_group(cgroup, i);
}

/// Whether the jail `process` that made a group at the time `made` (0: not known) has certainly ended: there is none of that
/// number, or one that began later. A living one's group is empty, and can be removed, from its making until the init joins it.
static int has_ended(pid_t process, uint64_t made) {
    if (kill(process, 0) != 0) return errno == ESRCH;
    uint64_t now = start_of(process);
    return made != 0 && now > made;
}

/// Removes the groups below `path` whose jail is gone; those in use refuse.
static void reap_below(const char *path) {
    DIR *directory = opendir(path);
    int parent = directory == NULL ? -1 : dirfd(directory);
    if (parent < 0) return;
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0) continue;
        char *end = NULL;
        long jail = strtol(entry->d_name + sizeof prefix - 1, &end, 10);
        uint64_t made = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
        if (jail > 0 && has_ended((pid_t)jail, made)) unlinkat(parent, entry->d_name, AT_REMOVEDIR);
    }
    closedir(directory);
}

void sbx_cgroup_reap(void) {
    char groups[8192];
    char path[1300];
    if (read_groups(groups, sizeof groups) != 0) return;
    for (int i = 0; i < SBX_CGROUP_GROUPS; i++) {
        if (own_group(groups, controllers[i], path, sizeof path) == 0) reap_below(path);
    }
    if (group_of_hosts(groups, path, sizeof path) == 0) reap_below(path);
}
