// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Steps 14 and 15: no capability in any set, and no way to get one.

#include <errno.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "jail.h"

static int lock_securebits(void) {
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED
                         | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    return cap_set_secbits((unsigned int)bits) != 0 ? -errno : 0;
}

static int drop_bounding(void) {
    // Until the kernel knows no more of them: its list may be longer than the header's.
    cap_value_t number = 0;
    while (cap_drop_bound(number) == 0) number++;
    // The first that is unknown ends it; any other reason, or an end before the first, is a failure.
    return errno == EINVAL && number > 0 ? 0 : -EPERM;
}

static int drop_sets(void) {
    cap_t none = cap_init();
    if (none == NULL) return -ENOMEM;
    int result = cap_set_proc(none) != 0 ? -errno : 0;
    cap_free(none);
    return result;
}

/// All five sets must be empty: permitted, effective, inheritable, bounding, ambient.
static int assert_empty(void) {
    cap_t none = cap_init();
    cap_t held = cap_get_proc();
    int result = none == NULL || held == NULL ? -ENOMEM : 0;
    if (result == 0 && cap_compare(none, held) != 0) result = -ENOTRECOVERABLE;
    if (none != NULL) cap_free(none);
    if (held != NULL) cap_free(held);
    int bounding = 0;
    for (cap_value_t number = 0; result == 0 && (bounding = cap_get_bound(number)) >= 0; number++) {
        if (bounding != 0 || cap_get_ambient(number) != 0) result = -ENOTRECOVERABLE;
    }
    if (geteuid() != SBX_INSIDE_ID || getuid() != SBX_INSIDE_ID) return -ENOTRECOVERABLE;
    if (getegid() != SBX_INSIDE_ID || getgid() != SBX_INSIDE_ID) return -ENOTRECOVERABLE;
    return result;
}

/// Step 14. Securebits first, while there is the capability to set them; the sets last, as dropping the bounding set
/// needs one too.
int sbx_drop_privileges(struct sbx_context *context) {
    (void)context;
    int result = lock_securebits();
    if (result == 0) result = drop_bounding();
    if (result == 0 && cap_reset_ambient() != 0) result = -errno;
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
