// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The order of the steps, which is a part of the security.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jail.h"

static int run(struct sbx_context *context, int32_t step, sbx_step_function function) {
    return sbx_step_run(context, step, function);
}

/// The step's own process, after the fork; never returns.
static _Noreturn void become_step(struct sbx_context *context) {
    sbx_close(&context->control_init);
    sbx_close(&context->pair_init);
    // 9. A user namespace that owns nothing, while the limit lets exactly this one be made.
    if (run(context, SBX_STEP_USER_NAMESPACE, sbx_enter_namespace) != 0) _exit(1);
    // 11. Session, signals, limits, directory: ordinary inheritance, as the step's own user.
    if (run(context, SBX_STEP_SESSION, sbx_make_session) != 0) _exit(1);
    // 12. Environment and arguments are the spec's.
    if (run(context, SBX_STEP_ENVIRONMENT, sbx_check_environment) != 0) _exit(1);
    // 13. Descriptors as late as possible: 11 is the last that uses one of before.
    if (run(context, SBX_STEP_DESCRIPTORS, sbx_close_descriptors) != 0) _exit(1);
    // 14. Capabilities, after 9 has given them all (inside a namespace that owns nothing).
    if (run(context, SBX_STEP_PRIVILEGES, sbx_drop_privileges) != 0) _exit(1);
    // 15. Before 16 and 17, which demand it.
    if (run(context, SBX_STEP_NO_NEW_PRIVILEGES, sbx_no_new_privileges) != 0) _exit(1);
    // 16. Before 17, whose allow-list need not have Landlock's calls then.
    if (run(context, SBX_STEP_LANDLOCK, sbx_landlock) != 0) _exit(1);
    // 17. Last: everything above needs calls that are gone now.
    if (run(context, SBX_STEP_SECCOMP, sbx_seccomp) != 0) _exit(1);
    // 18. The program; only a failure comes back. Without this word the end of the pipe is no success.
    sbx_status_executing(context);
    if (context->spec->settings.fault_step == SBX_STEP_EXEC) {
        sbx_status_failed(context, SBX_RECORD_FAILED, SBX_STEP_EXEC, EIO);
        _exit(1);
    }
    int result = sbx_execute(context);
    sbx_status_failed(context, SBX_RECORD_EXEC_FAILED, SBX_STEP_EXEC, -result);
    _exit(1);
}

/// Step 10.
static int fork_step(struct sbx_context *context) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -errno;
    context->pair_init = pair[0];
    context->pair_step = pair[1];
    context->step = fork();
    return context->step < 0 ? -errno : 0;
}

void sbx_child(struct sbx_context *context) {
    sbx_close(&context->control_parent);
    sbx_close(&context->status_read);
    // 1. The namespaces are made; into the control group before anything is used that it counts.
    if (run(context, SBX_STEP_CLONE, sbx_join_cgroup) != 0) _exit(1);
    // 2. Credentials before anything is created: what an unmapped user owns can not be used.
    if (run(context, SBX_STEP_IDENTITY, sbx_identity_take) != 0) _exit(1);
    // 3. After 2, which would undo it.
    if (run(context, SBX_STEP_DIE_WITH_PARENT, sbx_die_with_parent) != 0) _exit(1);
    // 4. Before the first mount.
    if (run(context, SBX_STEP_PRIVATE, sbx_make_private) != 0) _exit(1);
    // 5. A new root, read-only but for what the spec says.
    if (run(context, SBX_STEP_ROOT, sbx_make_root) != 0) _exit(1);
    // 6. Devices and /proc, while those of the host can be reached.
    if (run(context, SBX_STEP_KERNEL_FILES, sbx_make_kernel_files) != 0) _exit(1);
    // 7. The host's tree goes.
    if (run(context, SBX_STEP_PIVOT, sbx_pivot) != 0) _exit(1);
    // 8. While there are capabilities over the network namespace.
    if (run(context, SBX_STEP_NETWORK, sbx_make_network) != 0) _exit(1);
    // 9. One user namespace more may be made …
    if (run(context, SBX_STEP_USER_NAMESPACE, sbx_limit_namespaces) != 0) _exit(1);
    // 10. … by the child; this process stays as the init.
    if (run(context, SBX_STEP_INIT, fork_step) != 0) _exit(1);
    if (context->step == 0) become_step(context);
    sbx_close(&context->pair_step);
    // 9. … and then no other. When the step failed, it has said so itself and its end is reaped below.
    int result = sbx_forbid_namespaces(context);
    if (result != 0 && result != -EPIPE && result != -ECONNRESET) {
        sbx_status_failed(context, SBX_RECORD_FAILED, SBX_STEP_USER_NAMESPACE, -result);
        _exit(1);
    }
    sbx_run_init(context);
}
