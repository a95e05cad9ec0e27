// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Inside the library: what the steps share. One process fills it, its forks each go on with their copy.
#ifndef SBX_JAIL_INTERNAL_H
#define SBX_JAIL_INTERNAL_H

#include <stdint.h>
#include <sys/types.h>

#include "sbx_filter.h"
#include "sbx_report.h"
#include "sbx_spec.h"

/// Most groups a sandbox joins: v1 has one for each controller.
#define SBX_CGROUP_GROUPS 3

/// The sandbox's own control groups.
struct sbx_cgroup {
    /// Directories of the groups, to be removed; -1 = none. With v2 only the first.
    int directories[SBX_CGROUP_GROUPS];
    /// Directories above them.
    int parents[SBX_CGROUP_GROUPS];
    /// v1: open `tasks` files that the child writes itself into.
    int joins[SBX_CGROUP_GROUPS];
    char name[48];
    /// Of enum sbx_limit.
    uint32_t limits;
    int unified;
};

/// Largest buffer of a TCP connection, in bytes.
#define SBX_TCP_BUFFER 131072

/// The watch over the sandbox's sockets.
struct sbx_sockets {
    /// `net/sockstat` and `net/protocols` of the sandbox's network namespace; -1 = not open.
    int totals;
    int protocols;
    /// How many there may be, and whether the machine's share is in it already.
    uint64_t most;
    int shared;
};

/// Which processors the jail was given, by bits; of `size` bytes, 0 = not known, or not changed.
struct sbx_processors {
    size_t size;
    unsigned long mask[1024 / sizeof(unsigned long)];
};

struct sbx_context {
    const struct sbx_spec *spec;
    const struct sbx_filter_set *filters;
    struct sbx_cgroup cgroup;
    struct sbx_sockets sockets;
    /// Mounts cloned by a privileged parent, one for each entry; -1 = to be cloned by the child.
    int *trees;
    /// Whether the parent may map a range of users and clone mounts.
    int privileged;
    /// Failures and timings, from whoever is at work; its end without a failure means that exec succeeded.
    int status_read;
    int status_write;
    /// Packets between parent and init.
    int control_parent;
    int control_init;
    /// Bytes between init and step while the second user namespace is made; then what the init observes the step by.
    int pair_init;
    int pair_step;
    int root;
    /// `max_user_namespaces` of the outer user namespace, open for writing.
    int namespace_limit;
    /// Files whose changes the sandbox may watch, and how many watchers it may have.
    uint64_t watches;
    uint64_t watchers;
    /// Whether the sandbox could give itself an OOM score below 0, so that it must not write to /proc.
    int sparable;
    struct sbx_processors processors;
    pid_t init;
    int init_pidfd;
    pid_t step;
    uint64_t times[SBX_STEP_COUNT];
};

/// A sandbox as its parent has it.
struct sbx_jail {
    struct sbx_context context;
    /// The first failure since there was a child; kind 0 = none.
    struct sbx_record failure;
};

typedef int (*sbx_step_function)(struct sbx_context *context);

/// Runs one step: times it, and reports its failure on the status pipe. Also where tests inject a failure.
int sbx_step_run(struct sbx_context *context, int32_t step, sbx_step_function function);
/// Sends a failure on the status pipe.
void sbx_status_failed(const struct sbx_context *context, uint32_t kind, int32_t step, int32_t error);
/// Sends the timings, if they were asked for, and that the next thing is exec.
void sbx_status_executing(const struct sbx_context *context);
/// Nanoseconds of the monotonic clock.
uint64_t sbx_now(void);
/// Closes and forgets a descriptor.
void sbx_close(int *descriptor);
/// Writes a short text to a file in one call.
int sbx_write_file(int directory, const char *path, const char *text);
/// Reads and writes a whole packet, or nothing: -EPIPE when the other side is gone.
int sbx_packet_send(int socket, const struct sbx_record *record);
int sbx_packet_receive(int socket, struct sbx_record *record);
/// The same for a packet that may be a violation.
int sbx_message_send(int socket, const struct sbx_message *message);
int sbx_message_receive(int socket, struct sbx_message *message);

/// Keeps this process, and those that it makes, on the processor that it is on.
void sbx_processor_stay(struct sbx_context *context);
/// Gives this process back what the jail was given.
void sbx_processor_leave(const struct sbx_context *context);

// The parent's part.
/// Puts a failure into `record`. Returns `result`.
int sbx_fail(struct sbx_record *record, int32_t step, int result);
/// Ends a sandbox that has a child with a failure of the parent's.
void sbx_jail_fail(struct sbx_jail *jail, int32_t step, int result);
/// Kills everything inside.
void sbx_kill_all(const struct sbx_context *context);
/// Sends a signal for the program to the init; 0 = the child may go on.
void sbx_pass_signal(const struct sbx_context *context, int signal);
int sbx_cgroup_create(struct sbx_context *context);
void sbx_cgroup_usage(const struct sbx_cgroup *cgroup, struct sbx_record *record);
void sbx_cgroup_kill(const struct sbx_cgroup *cgroup);
void sbx_cgroup_remove(struct sbx_cgroup *cgroup);
/// Part of step 102: reads what the host's user may have of what bounds.c shares out.
void sbx_bounds_read(struct sbx_context *context);
/// Part of step 8, from outside: what the parent watches the sockets by.
int sbx_sockets_open(struct sbx_context *context);
/// Whether the sandbox has more sockets than its memory limit has room for.
int sbx_sockets_exceed(struct sbx_context *context);
int sbx_trees_clone(struct sbx_context *context);
int sbx_identity_map(const struct sbx_context *context);

// The child's steps, in their order; see child.c.
int sbx_join_cgroup(struct sbx_context *context);
int sbx_identity_take(struct sbx_context *context);
int sbx_die_with_parent(struct sbx_context *context);
int sbx_make_private(struct sbx_context *context);
int sbx_make_root(struct sbx_context *context);
int sbx_make_kernel_files(struct sbx_context *context);
int sbx_pivot(struct sbx_context *context);
int sbx_make_network(struct sbx_context *context);
int sbx_limit_namespaces(struct sbx_context *context);
int sbx_forbid_namespaces(struct sbx_context *context);
int sbx_enter_namespace(struct sbx_context *context);
/// A part of step 9.
int sbx_share_limits(void);
/// Parts of step 6, in the new root.
int sbx_bound_kernel(const struct sbx_context *context);
int sbx_cover_statistics(void);
int sbx_show_groups(const struct sbx_context *context);
int sbx_make_session(struct sbx_context *context);
int sbx_check_environment(struct sbx_context *context);
int sbx_close_descriptors(struct sbx_context *context);
int sbx_drop_privileges(struct sbx_context *context);
int sbx_no_new_privileges(struct sbx_context *context);
int sbx_landlock(struct sbx_context *context);
int sbx_seccomp(struct sbx_context *context);
int sbx_execute(struct sbx_context *context);

/// Landlock's ABI version here, or 0.
uint32_t sbx_landlock_version(void);
/// The process that came out of clone3; never returns.
_Noreturn void sbx_child(struct sbx_context *context);
/// PID 1 of the sandbox; never returns.
_Noreturn void sbx_run_init(struct sbx_context *context);

#endif
