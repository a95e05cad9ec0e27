// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Preloaded under ThreadSanitizer: tells it of Swift's Mutex where that has to wait. What does not wait is inlined into
// our own code, where the sanitizer sees the atomic operations; the wait happens in a library that is built without it, so
// that every contended lock would look like none.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Of the sanitizer's runtime; not there in programs without it, which get this preloaded too.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define SELF __attribute__((swift_context)) void *handle
typedef __attribute__((swiftcall)) void lock_function(uint32_t thread, SELF);
typedef __attribute__((swiftcall)) void unlock_function(SELF);

static void *own(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found != NULL) return found;
    fprintf(stderr, "tsan_mutex: there is no %s any more: look for what Swift's Mutex calls now\n", name);
    abort();
}

// Synchronization._MutexHandle._lockSlow(UInt32): returns with the lock held.
__attribute__((swiftcall)) void $s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF(uint32_t thread, SELF) {
    ((lock_function *)own("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"))(thread, handle);
    if (__tsan_acquire != NULL) __tsan_acquire(handle);
}

// Synchronization._MutexHandle._unlockSlow(): has the kernel give the lock to one that waits.
__attribute__((swiftcall)) void $s15Synchronization12_MutexHandleV11_unlockSlowyyF(SELF) {
    if (__tsan_release != NULL) __tsan_release(handle);
    ((unlock_function *)own("$s15Synchronization12_MutexHandleV11_unlockSlowyyF"))(handle);
}
