// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Steps 2, 3 and 9: who the processes are. Outer namespace: init is 0 (as root) or 1000, the step is 1000. Inner
// namespace: 1000 and nothing else.

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "jail.h"

/// When the host is short of memory, a build is to go before what serves it. Written by a parent with CAP_SYS_RESOURCE it
/// can not be lowered inside again. By another one it can, to what that was given itself (man 5 proc,
/// "oom_score_adj"): the build goes first as long as it does not ask to be spared, and never after Drydock.
static const char expendable[] = "500";

/// Writes the maps of the outer namespace, from outside: only there a range may be mapped.
int sbx_identity_map(const struct sbx_context *context) {
    char path[64];
    char map[96];
    snprintf(path, sizeof path, "/proc/%d", context->init);
    int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) return -errno;
    int result = sbx_write_file(process, "oom_score_adj", expendable);
    unsigned int outside = context->spec->settings.outside_id;
    if (context->privileged && outside > 1) {
        snprintf(map, sizeof map, "0 %u 1\n%u %u 1\n", outside - 1, SBX_INSIDE_ID, outside);
        if (result == 0) result = sbx_write_file(process, "uid_map", map);
        if (result == 0) result = sbx_write_file(process, "gid_map", map);
    } else {
        snprintf(map, sizeof map, "%u %u 1\n", SBX_INSIDE_ID, geteuid());
        if (result == 0) result = sbx_write_file(process, "uid_map", map);
        // Without this an ordinary user may not map a group (man 7 user_namespaces, "setgroups").
        if (result == 0) result = sbx_write_file(process, "setgroups", "deny");
        snprintf(map, sizeof map, "%u %u 1\n", SBX_INSIDE_ID, getegid());
        if (result == 0) result = sbx_write_file(process, "gid_map", map);
    }
    close(process);
    return result;
}

static int set_ids(gid_t group, uid_t user) {
    if (setresgid(group, group, group) != 0) return -errno;
    return setresuid(user, user, user) != 0 ? -errno : 0;
}

/// Step 2. Waits for the maps, then takes an identity before anything is created: an unmapped owner is EOVERFLOW.
int sbx_identity_take(struct sbx_context *context) {
    struct sbx_record go;
    int result = sbx_packet_receive(context->control_init, &go);
    if (result != 0) return result;
    // The supplementary groups of root must go; an ordinary user can not, and has none that are mapped.
    if (context->privileged && setgroups(0, NULL) != 0) return -errno;
    result = context->privileged ? set_ids(0, 0) : set_ids(SBX_INSIDE_ID, SBX_INSIDE_ID);
    // Not by clone3: the directory of message queues would belong to root outside, who is not mapped, and nobody inside
    // could make one in it.
    return result == 0 && unshare(CLONE_NEWIPC) != 0 ? -errno : result;
}

/// Step 3. After the last change of credentials, which would clear it.
int sbx_die_with_parent(struct sbx_context *context) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -errno;
    // A parent that died before the call sends no signal; but its end of the socket is closed then.
    struct pollfd control = {.fd = context->control_init, .events = 0};
    if (poll(&control, 1, 0) < 0) return -errno;
    return (control.revents & POLLHUP) != 0 ? -EOWNERDEAD : 0;
}

static int write_limit(const struct sbx_context *context, const char *number) {
    ssize_t written = pwrite(context->namespace_limit, number, 1, 0);
    return written == 1 ? 0 : (written < 0 ? -errno : -EIO);
}

static int pass(int descriptor) {
    char byte = 1;
    ssize_t count;
    do {
        count = write(descriptor, &byte, 1);
    } while (count < 0 && errno == EINTR);
    return count == 1 ? 0 : -errno;
}

static int await(int descriptor) {
    char byte;
    ssize_t count;
    do {
        count = read(descriptor, &byte, 1);
    } while (count < 0 && errno == EINTR);
    return count == 1 ? 0 : (count == 0 ? -EPIPE : -errno);
}

/// Step 9, before the fork: one user namespace more, the step's.
int sbx_limit_namespaces(struct sbx_context *context) {
    return write_limit(context, "1");
}

/// Step 9, init: once the step is in it no other, as with 1 another could be made when the first is gone.
int sbx_forbid_namespaces(struct sbx_context *context) {
    int result = await(context->pair_init);
    if (result == 0) result = write_limit(context, "0");
    // Before the step goes on: as an ordinary user both are the same one, and this process still has capabilities.
    if (result == 0 && prctl(PR_SET_DUMPABLE, 0) != 0) result = -errno;
    if (result == 0) result = pass(context->pair_init);
    sbx_close(&context->namespace_limit);
    return result;
}

static int map_inner(void) {
    char map[32];
    snprintf(map, sizeof map, "%u %u 1\n", SBX_INSIDE_ID, SBX_INSIDE_ID);
    int result = sbx_write_file(AT_FDCWD, "/proc/self/setgroups", "deny");
    if (result == 0) result = sbx_write_file(AT_FDCWD, "/proc/self/uid_map", map);
    if (result == 0) result = sbx_write_file(AT_FDCWD, "/proc/self/gid_map", map);
    return result;
}

/// Step 9, step: into a user namespace that owns none of the others, so that even all its capabilities are worth
/// nothing against mounts and network.
int sbx_enter_namespace(struct sbx_context *context) {
    int result = set_ids(SBX_INSIDE_ID, SBX_INSIDE_ID);
    if (result != 0) return result;
    // The change of user cleared it, and the map files of a non-dumpable process belong to root.
    if (prctl(PR_SET_DUMPABLE, 1) != 0) return -errno;
    result = sbx_share_limits();
    if (result != 0) return result;
    if (unshare(CLONE_NEWUSER) != 0) return -errno;
    result = map_inner();
    if (result == 0) result = pass(context->pair_step);
    if (result == 0) result = await(context->pair_step);
    if (result != 0) return result;
    // The proof: a third one must fail, and for this reason.
    if (unshare(CLONE_NEWUSER) == 0) return -ENOTRECOVERABLE;
    return errno == ENOSPC ? 0 : -errno;
}
