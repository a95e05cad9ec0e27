// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// One sandbox from outside: prepared, parked as a child that waits, and let go. The watch over it is in watch.c.

#include "sbx_jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"

int sbx_fail(struct sbx_record *record, int32_t step, int result) {
    sbx_record_init(record, SBX_RECORD_FAILED);
    record->step = step;
    record->error = -result;
    return result;
}

void sbx_kill_all(const struct sbx_context *context) {
    sbx_pidfd_send_signal(context->init_pidfd, SIGKILL);
    sbx_cgroup_kill(&context->cgroup);
}

void sbx_pass_signal(const struct sbx_context *context, int signal) {
    struct sbx_record record;
    sbx_record_init(&record, SBX_RECORD_SIGNAL);
    record.signal = signal;
    sbx_packet_send(context->control_parent, &record);
}

static int make_channels(struct sbx_context *context) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    context->status_read = ends[0];
    context->status_write = ends[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
    context->control_parent = ends[0];
    context->control_init = ends[1];
    return 0;
}

/// Step 1. No libc wrapper: the child goes on here, on a copy of this stack, as after a fork.
static int clone_child(struct sbx_context *context) {
    struct clone_args arguments = {
        // The IPC and cgroup namespaces come later: see sbx_identity_take and sbx_join_cgroup.
        .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_PIDFD
                 | (__u64)CLONE_CLEAR_SIGHAND,
        .pidfd = (__u64)(uintptr_t)&context->init_pidfd,
        .exit_signal = SIGCHLD,
    };
    if (context->cgroup.unified) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (__u64)context->cgroup.directories[0];
    }
    if (context->spec->settings.fault_step == SBX_STEP_CLONE) return -EIO;
    uint64_t begin = sbx_now();
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child < 0) return -errno;
    context->times[SBX_STEP_CLONE] = sbx_now() - begin;
    if (child == 0) sbx_child(context);
    context->init = (pid_t)child;
    return 0;
}

/// A pipe belongs to who made it: as root the step's user could not open it again by /dev/stdout.
static int hand_over_pipes(const struct sbx_context *context) {
    uint32_t owner = context->spec->settings.outside_id;
    for (int stream = 0; context->privileged && stream < 3; stream++) {
        struct stat found;
        struct statfs system;
        if (fstat(stream, &found) != 0) return -errno;
        // One with a name is a file of the host.
        if (fstatfs(stream, &system) != 0) return -errno;
        if (S_ISFIFO(found.st_mode) && system.f_type == PIPEFS_MAGIC && fchown(stream, owner, owner) != 0) return -errno;
    }
    return 0;
}

/// The parent's steps, in their order.
static int prepare(struct sbx_context *context, struct sbx_record *failure) {
    int32_t fault = (int32_t)context->spec->settings.fault_step;
    int result = 0;
    // 101. An identity inside that is root outside is no identity.
    if (geteuid() == 0 && context->spec->settings.outside_id < 2) result = -EPERM;
    if (result != 0 || fault == SBX_STEP_PARENT_SPEC) return sbx_fail(failure, SBX_STEP_PARENT_SPEC, result ? result : -EIO);
    // 102. The limits, before there is anything to limit.
    result = fault == SBX_STEP_PARENT_CGROUP ? -EIO : sbx_cgroup_create(context);
    sbx_bounds_read(context);
    if (result != 0) return sbx_fail(failure, SBX_STEP_PARENT_CGROUP, result);
    // 103. As root here, where every path can be reached; an ordinary user's child sees what it sees.
    context->trees = calloc((size_t)context->spec->entry_count + 1, sizeof *context->trees);
    if (context->trees == NULL) return sbx_fail(failure, SBX_STEP_PARENT_WORKSPACE, -ENOMEM);
    for (uint32_t i = 0; i < context->spec->entry_count; i++) context->trees[i] = -1;
    result = fault == SBX_STEP_PARENT_WORKSPACE ? -EIO : 0;
    if (result == 0 && context->privileged) result = sbx_trees_clone(context);
    if (result != 0) return sbx_fail(failure, SBX_STEP_PARENT_WORKSPACE, result);
    // 104. Close-on-exec, all of them.
    result = fault == SBX_STEP_PARENT_DESCRIPTORS ? -EIO : hand_over_pipes(context);
    if (result == 0) result = make_channels(context);
    return result != 0 ? sbx_fail(failure, SBX_STEP_PARENT_DESCRIPTORS, result) : 0;
}

int sbx_jail_prepare(const struct sbx_spec *spec, const struct sbx_filter_set *filters, struct sbx_jail **jail,
                     struct sbx_record *failure) {
    struct sbx_jail *made = malloc(sizeof *made);
    *jail = made;
    if (made == NULL) return sbx_fail(failure, SBX_STEP_PARENT_SPEC, -ENOMEM);
    *made = (struct sbx_jail){.context = {
        .spec = spec, .filters = filters, .privileged = geteuid() == 0,
        .cgroup = {.directories = {-1, -1, -1}, .parents = {-1, -1, -1}, .joins = {-1, -1, -1}},
        .sockets = {.totals = -1, .protocols = -1},
        .status_read = -1, .status_write = -1, .control_parent = -1, .control_init = -1, .pair_init = -1,
        .pair_step = -1, .root = -1, .namespace_limit = -1, .init = -1, .init_pidfd = -1,
    }};
    // Nobody may look into this process, which holds the host's descriptors; an ordinary user's must be open to itself
    // until its child has its maps.
    int result = prctl(PR_SET_DUMPABLE, made->context.privileged ? 0 : 1) != 0 ? -errno : 0;
    if (result != 0) return sbx_fail(failure, SBX_STEP_PARENT_SPEC, result);
    sbx_processor_stay(&made->context);
    return prepare(&made->context, failure);
}

void sbx_jail_fail(struct sbx_jail *jail, int32_t step, int result) {
    sbx_fail(&jail->failure, step, result);
    sbx_kill_all(&jail->context);
}

/// What the parent does for a child that waits for its maps.
static void equip(struct sbx_jail *jail) {
    struct sbx_context *context = &jail->context;
    int result = sbx_identity_map(context);
    if (result != 0) {
        sbx_jail_fail(jail, SBX_STEP_IDENTITY, result);
        return;
    }
    if ((result = sbx_sockets_open(context)) != 0) {
        // One that has ended has no network any more, and tells itself why.
        struct pollfd init = {.fd = context->init_pidfd, .events = POLLIN};
        if (poll(&init, 1, 0) != 1) sbx_jail_fail(jail, SBX_STEP_NETWORK, result);
        return;
    }
    // The child's map files were ours to write because it was born dumpable; from here on nobody may look into us.
    if (prctl(PR_SET_DUMPABLE, 0) != 0) sbx_jail_fail(jail, SBX_STEP_CLONE, -errno);
}

int sbx_jail_park(struct sbx_jail *jail, struct sbx_record *failure) {
    struct sbx_context *context = &jail->context;
    int result = clone_child(context);
    sbx_close(&context->control_init);
    sbx_close(&context->status_write);
    // The child's: with it in here too, a caller would wait for listeners of a child that has failed.
    if (context->spec->listener_count > 0) close(SBX_LISTENER_DESCRIPTOR);
    for (int i = 0; i < SBX_CGROUP_GROUPS; i++) sbx_close(&context->cgroup.joins[i]);
    if (result != 0) return sbx_fail(failure, SBX_STEP_CLONE, result);
    // From here on there is something to watch, which tells what went wrong.
    equip(jail);
    return 0;
}

void sbx_jail_enter(struct sbx_jail *jail) {
    if (jail->failure.kind == 0) sbx_pass_signal(&jail->context, 0);
}

void sbx_jail_free(struct sbx_jail *jail) {
    if (jail == NULL) return;
    struct sbx_context *context = &jail->context;
    sbx_cgroup_remove(&context->cgroup);
    for (uint32_t i = 0; context->trees != NULL && i < context->spec->entry_count; i++) sbx_close(&context->trees[i]);
    free(context->trees);
    sbx_close(&context->status_read);
    sbx_close(&context->status_write);
    sbx_close(&context->control_parent);
    sbx_close(&context->control_init);
    sbx_close(&context->init_pidfd);
    sbx_close(&context->sockets.totals);
    sbx_close(&context->sockets.protocols);
    free(jail);
}
