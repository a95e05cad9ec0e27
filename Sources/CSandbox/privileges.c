// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Steps 14 and 15: no capability in any set, and no way to get one.

#include <errno.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"

static int lock_securebits(void) {
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED
                         | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0 ? -errno : 0;
}

static int drop_bounding(void) {
    // Until the kernel knows no more of them: its list may be longer than the header's.
    unsigned long number = 0;
    while (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0) number++;
    // The first that is unknown ends it; any other reason, or an end before the first, is a failure.
    return errno == EINVAL && number > 0 ? 0 : -EPERM;
}

static int drop_sets(void) {
    const struct sbx_capabilities none = {0};
    return sbx_capset(&none) != 0 ? -errno : 0;
}

/// All five sets must be empty: permitted, effective, inheritable, bounding, ambient.
static int assert_empty(void) {
    struct sbx_capabilities held;
    if (sbx_capget(&held) != 0) return -errno;
    for (size_t i = 0; i < sizeof held.words / sizeof held.words[0]; i++) {
        const struct __user_cap_data_struct *word = &held.words[i];
        if ((word->permitted | word->effective | word->inheritable) != 0) return -ENOTRECOVERABLE;
    }
    int bounding = 0;
    for (unsigned long number = 0; (bounding = prctl(PR_CAPBSET_READ, number, 0, 0, 0)) >= 0; number++) {
        if (bounding != 0) return -ENOTRECOVERABLE;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) != 0) return -ENOTRECOVERABLE;
    }
    if (geteuid() != SBX_INSIDE_ID || getuid() != SBX_INSIDE_ID) return -ENOTRECOVERABLE;
    if (getegid() != SBX_INSIDE_ID || getgid() != SBX_INSIDE_ID) return -ENOTRECOVERABLE;
    return 0;
}

/// Step 14. Securebits first, while there is the capability to set them; the sets last, as dropping the bounding set
/// needs one too.
int sbx_drop_privileges(struct sbx_context *context) {
    (void)context;
    int result = lock_securebits();
    if (result == 0) result = drop_bounding();
    if (result == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) result = -errno;
    if (result == 0 && setresgid(SBX_INSIDE_ID, SBX_INSIDE_ID, SBX_INSIDE_ID) != 0) result = -errno;
    if (result == 0 && setresuid(SBX_INSIDE_ID, SBX_INSIDE_ID, SBX_INSIDE_ID) != 0) result = -errno;
    if (result == 0) result = drop_sets();
    return result == 0 ? assert_empty() : result;
}

/// Step 15. Landlock and seccomp need it of a process without capabilities.
int sbx_no_new_privileges(struct sbx_context *context) {
    (void)context;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? -errno : 0;
}
