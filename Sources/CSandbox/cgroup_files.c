// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Part of step 6: the sandbox's own control group, read-only, where runtimes look for how much memory they have (JVM,
// libuv, Go, .NET). Without it a JVM takes a quarter of the machine's, and is killed at the limit. With v1 it does so
// still: it looks for cpuset and cpuacct too, where the sandbox is in a group of the host's, which must not be shown.

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"

/// After step 1, whose cgroup namespace makes the sandbox's group the root of what is mounted. No protection: what can
/// not be shown is not there, as before.
int sbx_show_groups(const struct sbx_context *context) {
    const unsigned long closed = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const struct sbx_cgroup *cgroup = &context->cgroup;
    if ((cgroup->limits & SBX_LIMIT_MEMORY) == 0) return 0;  // a group of the host's would be the wrong answer
    if (mkdir("sys", 0755) != 0 || mkdir("sys/fs", 0755) != 0 || mkdir("sys/fs/cgroup", 0755) != 0) return -errno;
    if (cgroup->unified) {
        (void)sbx_mount("cgroup2", "sys/fs/cgroup", "cgroup2", closed, NULL);
        return 0;
    }
    if (mkdir("sys/fs/cgroup/memory", 0755) != 0) return -errno;
    (void)sbx_mount("cgroup", "sys/fs/cgroup/memory", "cgroup", closed, "memory");
    return 0;
}
