// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// stamped-lines LINES RATE: prints LINES lines "@<monotonic ns> <number> …", RATE a second (0: as fast as it can).
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: stamped-lines LINES RATE\n");
        return 2;
    }
    uint64_t lines = strtoull(argv[1], NULL, 10), rate = strtoull(argv[2], NULL, 10), start = now();
    // Line by line where they come slowly, in pieces of a pipe's size where they do not: as tools do.
    setvbuf(stdout, NULL, rate > 0 ? _IOLBF : _IOFBF, 1 << 16);
    for (uint64_t number = 0; number < lines; number++) {
        if (rate > 0) {
            uint64_t due = start + number * 1000000000u / rate;
            struct timespec time = {.tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u)};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
        }
        printf("@%llu %llu compiling \"src/part-%llu.c\" with all of its neighbours\n", (unsigned long long)now(),
               (unsigned long long)number, (unsigned long long)number);
    }
    return 0;
}
