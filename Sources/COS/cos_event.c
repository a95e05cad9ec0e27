// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "cos_event.h"

#include <errno.h>
#include <sys/eventfd.h>

int cos_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}
