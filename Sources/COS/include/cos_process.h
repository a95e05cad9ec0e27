// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Starting processes and waiting for them: what Swift can not call itself, or not without running Swift between
// fork and exec. Every function returns 0 or a negative errno; results go through out-parameters, last.
#ifndef COS_PROCESS_H
#define COS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/// Most descriptors that can be handed to a new process.
#define COS_SPAWN_DESCRIPTORS 16

/// A descriptor of the caller, and the number it gets in the new process. The caller keeps its own.
struct cos_descriptor {
    int32_t from;
    int32_t to;
};

/// What to start. All pointers are borrowed for the call.
struct cos_spawn_request {
    /// Absolute path of the program.
    const char *_Nonnull path;
    /// NULL-terminated.
    char *_Nullable const *_Nonnull argv;
    /// NULL-terminated; the whole environment.
    char *_Nullable const *_Nonnull envp;
    /// Everything the new process inherits; numbers in `to` differ and are below COS_SPAWN_DESCRIPTORS.
    const struct cos_descriptor *_Nullable descriptors;
    size_t descriptor_count;
};

/// How a process ended, and what it and the children it waited for used.
struct cos_ending {
    /// The exit code, or -1 when a signal ended it.
    int32_t code;
    /// The signal that ended it, or 0.
    int32_t signal;
    /// User and system time in microseconds.
    int64_t cpu_user_us;
    int64_t cpu_system_us;
    /// Peak resident set of the largest process, in bytes.
    int64_t peak_bytes;
};

/// Starts a program in a session of its own, with an empty signal mask, default dispositions and no descriptor but
/// the named ones. On success `*pidfd` belongs to the caller (close-on-exec).
int cos_spawn(const struct cos_spawn_request *_Nonnull request, int32_t *_Nonnull pid, int32_t *_Nonnull pidfd);

/// Opens a descriptor for the process `pid`, which may be anybody's; -ESRCH when there is none. Source: man 2 pidfd_open.
int cos_pidfd(int32_t pid, int32_t *_Nonnull pidfd);

/// Blocks until the process behind `pidfd` ended, and reaps it.
int cos_wait(int32_t pidfd, struct cos_ending *_Nonnull ending);

/// Sends a signal; never to a process that took the same number later.
int cos_signal(int32_t pidfd, int32_t signal);

/// Makes a pipe, both ends close-on-exec: `ends[0]` reads, `ends[1]` writes.
int cos_pipe(int32_t ends[_Nonnull 2]);

/// Makes a pair of connected local sockets of packets that keep their bounds, close-on-exec.
int cos_packet_pair(int32_t ends[_Nonnull 2]);

/// Takes the packet of exactly `count` descriptors (at most 16) that lies in a packet socket (SCM_RIGHTS, man 7 unix); all of
/// them close-on-exec. Does not wait: -EAGAIN where there is none; -EPIPE where there will be none, -EBADMSG for another
/// number, and nothing is left open then.
int cos_receive_descriptors(int32_t socket, int32_t *_Nonnull descriptors, size_t count);

/// Makes an anonymous file that holds `size` bytes from `bytes`, sealed against every change, at position 0.
int cos_sealed_file(const char *_Nonnull name, const void *_Nonnull bytes, size_t size, int32_t *_Nonnull file);

/// Makes an event counter, close-on-exec and non-blocking.
int cos_event(int32_t *_Nonnull event);

/// Adds one to an event counter, which makes it readable.
int cos_event_signal(int32_t event);

/// Names the calling thread; 15 bytes are kept.
void cos_name_thread(const char *_Nonnull name);

#endif
