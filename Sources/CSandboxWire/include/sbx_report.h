// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// What the jail tells its caller, and what the caller may ask: packets of one fixed struct each, in host order.
#ifndef SBX_REPORT_H
#define SBX_REPORT_H

#include <stddef.h>
#include <stdint.h>

#ifndef __clang__
#define _Nonnull
#define _Nullable
#endif

/// Descriptors by which a caller that drives the jail hands it spec and socket.
#define SBX_SPEC_DESCRIPTOR 3
#define SBX_CONTROL_DESCRIPTOR 4
/// The packet socket that the sandbox's listeners are sent to, in one packet of one byte (SCM_RIGHTS, man 7 unix); open
/// where the spec has any.
#define SBX_LISTENER_DESCRIPTOR 5

/// The leaf of its v2 group that the caller's own processes sit in (HostCgroup in Swift puts them there).
#define SBX_CGROUP_HOST_LEAF "drydock-host"

/// The steps of SANDBOX.md; those of the parent count from 101.
enum sbx_step {
    SBX_STEP_CLONE = 1,
    SBX_STEP_IDENTITY = 2,
    SBX_STEP_DIE_WITH_PARENT = 3,
    SBX_STEP_PRIVATE = 4,
    SBX_STEP_ROOT = 5,
    SBX_STEP_KERNEL_FILES = 6,
    SBX_STEP_PIVOT = 7,
    SBX_STEP_NETWORK = 8,
    SBX_STEP_USER_NAMESPACE = 9,
    SBX_STEP_INIT = 10,
    SBX_STEP_SESSION = 11,
    SBX_STEP_ENVIRONMENT = 12,
    SBX_STEP_DESCRIPTORS = 13,
    SBX_STEP_PRIVILEGES = 14,
    SBX_STEP_NO_NEW_PRIVILEGES = 15,
    SBX_STEP_LANDLOCK = 16,
    SBX_STEP_SECCOMP = 17,
    SBX_STEP_EXEC = 18,
    SBX_STEP_COUNT = 19,
    SBX_STEP_PARENT_SPEC = 101,
    SBX_STEP_PARENT_CGROUP = 102,
    SBX_STEP_PARENT_WORKSPACE = 103,
    SBX_STEP_PARENT_DESCRIPTORS = 104,
};

/// The step's name for people, and what to do when it fails with `error` (an errno); never NULL.
const char *_Nonnull sbx_step_name(int32_t step);
const char *_Nonnull sbx_step_hint(int32_t step, int32_t error);

/// What a packet says. Upward:
enum sbx_record_kind {
    /// A step failed: `step`, `error`.
    SBX_RECORD_FAILED = 1,
    /// The program could not be executed: `error`.
    SBX_RECORD_EXEC_FAILED = 2,
    /// The program was executed: `limits`, `landlock`.
    SBX_RECORD_STARTED = 3,
    /// Nothing is left: `code` or `signal`, and what was used. The last packet. `error` is ENOBUFS when all was killed as
    /// its sockets could have held more than the memory limit.
    SBX_RECORD_ENDED = 4,
    /// `step` took `nanoseconds`.
    SBX_RECORD_TIMING = 5,
    /// Downward: send `signal` to the main process group; where `nanoseconds` is not 0, kill everything after them.
    SBX_RECORD_SIGNAL = 6,
    /// Downward: end everything at once. So does closing the socket.
    SBX_RECORD_KILL = 7,
    /// Within the jail: the program is executed next, at `nanoseconds` of the monotonic clock.
    SBX_RECORD_EXECUTING = 8,
    /// Upward, with a struct sbx_violation behind it in the same packet: a call was refused.
    SBX_RECORD_VIOLATION = 9,
};

/// Which limits cgroups keep.
enum sbx_limit {
    SBX_LIMIT_MEMORY = 1U << 0,
    SBX_LIMIT_PROCESSES = 1U << 1,
    SBX_LIMIT_CPU = 1U << 2,
};

struct sbx_record {
    uint32_t size;
    uint32_t kind;
    int32_t step;
    int32_t error;
    /// Exit code of the main process, or -1.
    int32_t code;
    /// Signal that ended it, or 0.
    int32_t signal;
    /// Of enum sbx_limit.
    uint32_t limits;
    /// Landlock's ABI version, or 0 where there is none.
    uint32_t landlock;
    /// Processes killed for want of memory.
    uint64_t oom_kills;
    /// Times a process could not be made because of the limit.
    uint64_t process_denials;
    uint64_t cpu_user_us;
    uint64_t cpu_system_us;
    /// Peak of the cgroup, or of the largest process where there is none.
    uint64_t peak_bytes;
    /// Most processes and threads at a time, or 0 where unknown.
    uint64_t peak_processes;
    uint64_t nanoseconds;
};

_Static_assert(sizeof(struct sbx_record) == 88, "read as it is on the other side");

/// A call that was refused, for people: nothing hangs on it. Texts end with a NUL, and all but `call` are the caller's own.
struct sbx_violation {
    /// As they were given, int ones with whatever stood in their upper halves.
    uint64_t arguments[6];
    /// 1; more: so many of this call were not told one by one, and nothing else is known of them.
    uint64_t count;
    /// The thread that made it, as the sandbox numbers it.
    int32_t process;
    /// The error it got.
    int32_t error;
    /// The name of the call.
    char call[24];
    /// The file that the process runs, clipped.
    char program[104];
    /// Texts that some calls are given, clipped: what is mounted or changed, and as what.
    char first[128];
    char second[64];
};

/// A packet that may be a violation.
struct sbx_message {
    struct sbx_record record;
    struct sbx_violation violation;
};

_Static_assert(sizeof(struct sbx_message) == 88 + 384, "read as it is on the other side");

/// Checks a packet of `size` bytes, and ends its texts: 0 or -EBADMSG. Of another kind than a violation it is a record alone.
int sbx_message_check(struct sbx_message *_Nonnull message, size_t size);

/// Makes an empty record of a kind.
void sbx_record_init(struct sbx_record *_Nonnull record, uint32_t kind);

#endif
