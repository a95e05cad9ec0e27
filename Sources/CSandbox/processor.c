// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// A start is one thing after another, done in turns by three processes. On one processor a turn passes by a switch; on
// two it is a call between them, a cold cache, and on a busy machine a wait in another queue: measured, a third of the
// processor time and half of the wall clock. So all three stay where the kernel put the jail, which is the least busy
// place it knew, until the program starts. No protection: what fails leaves things as they are.

#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

void sbx_processor_stay(struct sbx_context *context) {
    struct sbx_processors *before = &context->processors;
    unsigned long one[sizeof before->mask / sizeof before->mask[0]] = {0};
    const unsigned int bits = 8 * sizeof one[0];
    unsigned int here = 0;
    long size = syscall(SYS_sched_getaffinity, 0, sizeof before->mask, before->mask);
    if (size <= 0 || syscall(SYS_getcpu, &here, NULL, NULL) != 0 || here / bits >= sizeof one / sizeof one[0]) return;
    one[here / bits] = 1UL << here % bits;
    if (syscall(SYS_sched_setaffinity, 0, (size_t)size, one) == 0) before->size = (size_t)size;
}

void sbx_processor_leave(const struct sbx_context *context) {
    const struct sbx_processors *before = &context->processors;
    if (before->size > 0) syscall(SYS_sched_setaffinity, 0, before->size, before->mask);
}
