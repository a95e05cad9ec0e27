// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Becomes the jail (JAIL, its path) with every signal ignored and blocked that can be, by the kernel's own call: glibc
// keeps 32 and 33 for itself.

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **values) {
    uint64_t ignored[4] = {(uint64_t)(uintptr_t)SIG_IGN, 0, 0, 0};
    uint64_t all = ~(uint64_t)0;
    (void)count;
    for (int number = 1; number <= 64; number++) {
        // The jail waits for its children, which ignoring this one would take from it; nobody starts it so.
        if (number != SIGCHLD) syscall(SYS_rt_sigaction, number, ignored, NULL, sizeof ignored[0]);
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
    return execv(JAIL, values);
}
