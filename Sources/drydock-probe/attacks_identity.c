// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Who the step is, and what it could become.

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attacks.h"

static enum outcome root(void) { return getuid() != 0 && geteuid() != 0 && setuid(0) < 0 && setgid(0) < 0 ? HELD : BREACH; }

static enum outcome capabilities(void) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    memset(sets, 0, sizeof sets);
    if (syscall(SYS_capget, &head, sets) != 0) return UNSURE;
    for (size_t i = 0; i < 2; i++) {
        if (sets[i].effective != 0 || sets[i].permitted != 0 || sets[i].inheritable != 0) return BREACH;
    }
    for (unsigned long capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_READ, capability) == 1) return BREACH;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1) return BREACH;
    }
    return HELD;
}

static enum outcome new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? HELD : BREACH; }

/// The lines of /proc/self/status that tell of filters.
static enum outcome no_filter(void) {
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    int mode = -1;
    int count = -1;
    if (status == NULL) return UNSURE;
    while (fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "Seccomp: %d", &mode);
        sscanf(line, "Seccomp_filters: %d", &count);
    }
    fclose(status);
    if (mode < 0) return UNSURE;
    return mode == 2 && (count < 0 || count >= 2) ? HELD : BREACH;
}

static enum outcome core_handler(void) {
    struct rlimit limit;
    struct rlimit wanted = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    setrlimit(RLIMIT_CORE, &wanted);
    if (getrlimit(RLIMIT_CORE, &limit) != 0) return UNSURE;
    return limit.rlim_cur == 1 && limit.rlim_max == 1 ? HELD : BREACH;
}

static enum outcome priority(void) {
    int before = getpriority(PRIO_PROCESS, 0);
    return must_fail(setpriority(PRIO_PROCESS, 0, before - 1));
}

static enum outcome unlimited_processes(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NPROC, &limit) != 0) return UNSURE;
    return limit.rlim_max != RLIM_INFINITY ? HELD : BREACH;
}

const struct attack identity_attacks[] = {
    {"root", root},
    {"capabilities", capabilities},
    {"new-privileges", new_privileges},
    {"no-filter", no_filter},
    {"core-handler", core_handler},
    {"priority", priority},
    {"unlimited-processes", unlimited_processes},
};

const size_t identity_attack_count = sizeof identity_attacks / sizeof identity_attacks[0];
