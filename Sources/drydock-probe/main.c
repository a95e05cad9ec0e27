// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// drydock-probe: attacks the sandbox that it runs in, and prints one line for each attack: its name, and `held`, `breach` or
// `unsure`. Drydock runs it to know that its sandbox holds on this machine; by itself it says how open a machine is.
//
// Each attack is made by a process of its own, which is ended after two seconds.

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks.h"

enum { PATIENCE = 2 };

static const char *word(int status) {
    // A filter that kills has held; a clock that ran out says nothing.
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? "held" : "unsure";
    if (WEXITSTATUS(status) == HELD) return "held";
    return WEXITSTATUS(status) == BREACH ? "breach" : "unsure";
}

static void make(const struct attack *attack) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        _exit((int)attack->make());
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        printf("%s unsure\n", attack->name);
        return;
    }
    printf("%s %s\n", attack->name, word(status));
}

static void make_all(const struct attack *attacks, size_t count, const char *wanted) {
    for (size_t i = 0; i < count; i++) {
        if (wanted == NULL || strcmp(wanted, attacks[i].name) == 0) make(&attacks[i]);
    }
}

int main(int count, char **values) {
    const char *wanted = count > 1 ? values[1] : NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    make_all(kernel_attacks, kernel_attack_count, wanted);
    make_all(file_attacks, file_attack_count, wanted);
    make_all(identity_attacks, identity_attack_count, wanted);
    return 0;
}
