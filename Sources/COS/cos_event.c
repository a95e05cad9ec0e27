// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "cos_event.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

int cos_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

void cos_name_thread(const char *name) {
    // Refused only for a name that is too long; the thread then keeps its old one, which hurts nobody.
    (void)pthread_setname_np(pthread_self(), name);
}
