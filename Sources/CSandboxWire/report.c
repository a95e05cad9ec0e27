// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sbx_report.h"

struct description {
    int32_t step;
    const char *name;
    const char *hint;
};

static const struct description descriptions[] = {
    {SBX_STEP_PARENT_SPEC, "read the spec", "the spec is malformed or from another version of drydock"},
    {SBX_STEP_PARENT_CGROUP, "limit memory, processes and CPU",
     "no cgroup can be made here: run as root, or under a service with Delegate=yes, or accept level L3"},
    {SBX_STEP_PARENT_WORKSPACE, "take the mounts", "a directory of the spec is missing, or a symbolic link"},
    {SBX_STEP_PARENT_DESCRIPTORS, "make descriptors", "raise the limit of open files (ulimit -n)"},
    {SBX_STEP_CLONE, "make namespaces",
     "unprivileged user namespaces are off: set user.max_user_namespaces and kernel.unprivileged_userns_clone, "
     "or allow userns in an AppArmor profile for drydock-jail; in a container see drydock doctor"},
    {SBX_STEP_IDENTITY, "take the inside identity",
     "the outside ids are not mapped here: as root in a container, map user and group id 101000 into it"},
    {SBX_STEP_DIE_WITH_PARENT, "die with the parent", "the process that asked for the sandbox has ended"},
    {SBX_STEP_PRIVATE, "make mounts private", "mounting is forbidden here: see drydock doctor"},
    {SBX_STEP_ROOT, "make the root file system", "a directory of the spec is missing or can not be mounted"},
    {SBX_STEP_KERNEL_FILES, "make /dev and /proc",
     "a fresh /proc needs an unmasked one outside: in a container --security-opt systempaths=unconfined"},
    {SBX_STEP_PIVOT, "change the root", "pivot_root is forbidden here: see drydock doctor"},
    {SBX_STEP_NETWORK, "make the network", "the loopback device can not be brought up, or /proc tells nothing of the sandbox's sockets"},
    {SBX_STEP_USER_NAMESPACE, "make the inner user namespace",
     "nested user namespaces are forbidden: raise user.max_user_namespaces"},
    {SBX_STEP_INIT, "fork the init", "the limit of processes is too low"},
    {SBX_STEP_SESSION, "set limits and the working directory", "the working directory is missing inside"},
    {SBX_STEP_ENVIRONMENT, "set the environment", "the environment of the spec is malformed"},
    {SBX_STEP_DESCRIPTORS, "close descriptors", "close_range needs Linux 5.9"},
    {SBX_STEP_PRIVILEGES, "drop privileges", "a capability could not be given up: this is a bug, please report it"},
    {SBX_STEP_NO_NEW_PRIVILEGES, "forbid new privileges", "this is a bug, please report it"},
    {SBX_STEP_LANDLOCK, "restrict files by Landlock", "use a kernel of 5.19 or newer with landlock in its lsm= list, or accept level L3"},
    {SBX_STEP_SECCOMP, "filter system calls", "the kernel lacks CONFIG_SECCOMP_FILTER"},
    {SBX_STEP_EXEC, "execute the program", "the program is missing inside, or can not be executed"},
};

static const struct description *find(int32_t step) {
    for (size_t i = 0; i < sizeof descriptions / sizeof descriptions[0]; i++) {
        if (descriptions[i].step == step) return &descriptions[i];
    }
    return NULL;
}

const char *sbx_step_name(int32_t step) {
    const struct description *found = find(step);
    return found == NULL ? "unknown step" : found->name;
}

const char *sbx_step_hint(int32_t step, int32_t error) {
    const struct description *found = find(step);
    if (error == ENOMEM) return "the machine is short of memory";
    if (step == SBX_STEP_INIT && error == EOWNERDEAD) {
        return "it was killed while it was set up: give it more memory, or look into the kernel's log";
    }
    // ENOTSUPP, which the kernel has for itself, and libc no name for.
    if (step == SBX_STEP_SECCOMP && error == 524) {
        return "the machine's memory for compiled filters is used up: raise net.core.bpf_jit_limit";
    }
    if (error == EMFILE || error == ENFILE) return "raise the limit of open files (ulimit -n)";
    return found == NULL ? "this is a bug, please report it" : found->hint;
}

void sbx_record_init(struct sbx_record *record, uint32_t kind) {
    memset(record, 0, sizeof *record);
    record->size = sizeof *record;
    record->kind = kind;
    record->code = -1;
}

int sbx_message_check(struct sbx_message *message, size_t size) {
    struct sbx_violation *violation = &message->violation;
    if (size < sizeof message->record || message->record.size != sizeof message->record) return -EBADMSG;
    if (message->record.kind != SBX_RECORD_VIOLATION) return size == sizeof message->record ? 0 : -EBADMSG;
    if (size != sizeof *message) return -EBADMSG;
    violation->call[sizeof violation->call - 1] = 0;
    violation->program[sizeof violation->program - 1] = 0;
    violation->first[sizeof violation->first - 1] = 0;
    violation->second[sizeof violation->second - 1] = 0;
    return 0;
}
