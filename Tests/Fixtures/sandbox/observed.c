// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Becomes the jail (JAIL, its path) under somebody else's observer: a process has one at most.

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **values) {
    struct sock_filter instructions[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = 1, .filter = instructions};
    (void)count;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    // It lives on in the jail, as an observer that never has anything to do.
    if (listener < 0 || fcntl(listener, F_SETFD, 0) != 0) return 1;
    return execv(JAIL, values);
}
