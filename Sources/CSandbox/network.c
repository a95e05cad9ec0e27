// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Step 8: a network that ends at the loopback device, and a host name of its own.

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jail.h"

int sbx_make_network(struct sbx_context *context) {
    const char *name = context->spec->host_name;
    if (name == NULL || sethostname(name, strlen(name)) != 0) return name == NULL ? -EINVAL : -errno;
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) return -errno;
    struct ifreq loopback = {.ifr_name = "lo"};
    loopback.ifr_flags = IFF_UP | IFF_RUNNING;
    int result = ioctl(any, SIOCSIFFLAGS, &loopback) != 0 ? -errno : 0;
    close(any);
    return result;
}
