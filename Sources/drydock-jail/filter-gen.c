// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Runs while the jail is built: compiles the filters and prints them as C, so that a start costs no compiling (2 ms)
// and the jail needs no compiler in its trusted base.

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "filter-shrink.h"
#include "sbx_filter.h"

enum { MAXIMUM = 4096 };

static int print(enum sbx_profile profile, enum sbx_filter_kind kind) {
    static struct sock_filter compiled[MAXIMUM];
    static struct sock_filter instructions[MAXIMUM];
    int file = memfd_create("filter", MFD_CLOEXEC);
    int result = file < 0 ? -1 : sbx_filter_compile(profile, kind, file);
    ssize_t size = result != 0 ? -1 : pread(file, compiled, sizeof compiled, 0);
    if (file >= 0) close(file);
    if (size <= 0 || (size_t)size == sizeof compiled) result = result != 0 ? result : -EFBIG;
    int count = result != 0 ? result : sbx_filter_shrink(compiled, (size_t)size / sizeof compiled[0], instructions, MAXIMUM);
    if (count < 0) {
        fprintf(stderr, "filter-gen: filter %d of profile %d: %s\n", (int)kind, (int)profile, strerror(-count));
        return 1;
    }
    printf("static const struct sock_filter filter_%d_%d[] = {\n", (int)profile, (int)kind);
    for (int i = 0; i < count; i++) {
        const struct sock_filter *at = &instructions[i];
        printf("    {0x%04x, %u, %u, 0x%08xU},\n", (unsigned)at->code, (unsigned)at->jt, (unsigned)at->jf, at->k);
    }
    printf("};\n");
    return 0;
}

int main(void) {
    printf("// Written by filter-gen; do not edit.\n");
    for (int profile = 0; profile < SBX_PROFILE_COUNT; profile++) {
        for (int kind = 0; kind < SBX_FILTER_COUNT; kind++) {
            if (print((enum sbx_profile)profile, (enum sbx_filter_kind)kind) != 0) return 1;
        }
    }
    printf("static const struct sbx_filter_set compiled_filters = {{\n");
    for (int profile = 0; profile < SBX_PROFILE_COUNT; profile++) {
        printf("    {");
        for (int kind = 0; kind < SBX_FILTER_COUNT; kind++) {

            printf("{filter_%d_%d, sizeof filter_%d_%d / sizeof filter_%d_%d[0]}, ", profile, kind, profile, kind, profile, kind);
        }
        printf("},\n");
    }
    printf("}};\n");
    return 0;
}
