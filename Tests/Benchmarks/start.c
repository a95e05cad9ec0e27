// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// start JAIL SPEC ROUNDS: how long `true` takes in the sandbox, in bubblewrap and bare, turn by turn in one run, so that
// a busy moment of the machine hits all three; then what each step of the jail costs. In milliseconds: wall clock, and
// the processor time of the process and all that it waited for, which a busy machine does not change.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sbx_report.h"

extern char **environ;

enum { CONTENDERS = 3, MAXIMUM = 10000 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double milliseconds(struct timeval time) {
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static int run(char *const *argv, double *wall, double *processor) {
    pid_t child;
    int status;
    struct rusage usage;
    double begin = now();
    if (posix_spawnp(&child, argv[0], NULL, NULL, argv, environ) != 0) return -1;
    if (wait4(child, &status, 0, &usage) != child || status != 0) return -1;
    *wall = now() - begin;
    *processor = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
    return 0;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double percentile(double *values, int count, int percent) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count * percent / 100];
}

/// The spec as its maker passes it: in memory, sealed, since a driven jail takes no other.
static int sealed(const char *path) {
    static char bytes[1 << 20];
    int from = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = from < 0 ? -1 : read(from, bytes, sizeof bytes);
    int made = memfd_create("spec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (from >= 0) close(from);
    if (size < 0 || made < 0 || write(made, bytes, (size_t)size) != size || lseek(made, 0, SEEK_SET) != 0) return -1;
    return fcntl(made, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0 ? made : -1;
}

/// Runs the jail driven, and notes what it tells of its steps; fails where it does not get as far as the program.
static int steps(const char *jail, int spec, double took[SBX_STEP_COUNT][MAXIMUM], int round) {
    int ends[2];
    posix_spawn_file_actions_t actions;
    char *const argv[] = {"drydock-jail", "--driven", "--timings", "--", "true", NULL};
    pid_t child;
    struct sbx_record record;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    posix_spawn_file_actions_init(&actions);
    // In this order: the spec's own number may be the other one's target.
    posix_spawn_file_actions_adddup2(&actions, spec, SBX_SPEC_DESCRIPTOR);
    posix_spawn_file_actions_adddup2(&actions, ends[1], SBX_CONTROL_DESCRIPTOR);
    int result = posix_spawn(&child, jail, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    lseek(spec, 0, SEEK_SET);
    while (result == 0 && recv(ends[0], &record, sizeof record, 0) == (ssize_t)sizeof record) {
        int known = record.step > 0 && record.step < SBX_STEP_COUNT;
        if (record.kind == SBX_RECORD_TIMING && known) took[record.step][round] = (double)record.nanoseconds / 1e6;
    }
    close(ends[0]);
    if (result == 0) waitpid(child, NULL, 0);
    return took[SBX_STEP_EXEC][round] > 0 ? result : -1;
}

static int race(char *const *const *contenders, int rounds, double took[CONTENDERS][MAXIMUM],
                double used[CONTENDERS][MAXIMUM]) {
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < CONTENDERS; i++) {
            if (run(contenders[i], &took[i][round], &used[i][round]) != 0) {
                fprintf(stderr, "bench-start: %s failed\n", contenders[i][0]);
                return -1;
            }
        }
    }
    return 0;
}

int main(int count, char **values) {
    static double took[CONTENDERS][MAXIMUM];
    static double used[CONTENDERS][MAXIMUM];
    static double step_took[SBX_STEP_COUNT][MAXIMUM];
    static const char *const names[] = {"drydock-jail, cold", "bwrap --unshare-all", "fork and exec"};
    int rounds = count == 4 ? atoi(values[3]) : 0;
    if (rounds < 1 || rounds > MAXIMUM) return 64;
    char *const jail[] = {values[1], "--spec", values[2], "--", "true", NULL};
    char *const bwrap[] = {"bwrap", "--unshare-all", "--ro-bind", "/", "/", "true", NULL};
    char *const bare[] = {"true", NULL};
    char *const *const contenders[] = {jail, bwrap, bare};
    if (race(contenders, rounds, took, used) != 0) return 1;
    for (int i = 0; i < CONTENDERS; i++) {
        double median = percentile(took[i], rounds, 50);
        printf("%-22s p50 %6.2f ms   p95 %6.2f ms   processor p50 %6.2f ms\n", names[i], median,
               percentile(took[i], rounds, 95), percentile(used[i], rounds, 50));
    }
    printf("%-22s %.2f, of the processor %.2f\n\n", "jail / bwrap", took[0][rounds / 2] / took[1][rounds / 2],
           used[0][rounds / 2] / used[1][rounds / 2]);
    int spec = sealed(values[2]);
    for (int round = 0; round < rounds; round++) {
        if (spec < 0 || steps(values[1], spec, step_took, round) != 0) {
            fprintf(stderr, "bench-start: the jail did not tell of its steps\n");
            return 1;
        }
    }
    for (int step = SBX_STEP_CLONE; step < SBX_STEP_COUNT; step++) {
        double median = percentile(step_took[step], rounds, 50);
        printf("%2d %-32s p50 %6.3f ms\n", step, sbx_step_name(step), median);
    }
    return 0;
}
