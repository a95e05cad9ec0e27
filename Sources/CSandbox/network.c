// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Step 8: a network that ends at the loopback device, a host name of its own, and the sockets by which the caller lets the
// sandbox out, if it does: what is made here belongs to this network, whoever holds it.

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jail.h"

/// Connections that wait to be accepted.
enum { BACKLOG = 512 };

/// Returns the socket, or a negative errno.
static int make_listener(const struct sbx_listener *listener) {
    int is_tcp = listener->transport == SBX_TRANSPORT_TCP;
    int made = socket(AF_INET, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) return -errno;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)listener->port)};
    address.sin_addr.s_addr = htonl(listener->address);
    int result = bind(made, (struct sockaddr *)&address, sizeof address) != 0 ? -errno : 0;
    if (result == 0 && is_tcp && listen(made, BACKLOG) != 0) result = -errno;
    if (result == 0) return made;
    close(made);
    return result;
}

/// All in one packet, so that the caller gets all or none.
static int send_listeners(const int *sockets, uint32_t count) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int) * SBX_MAX_LISTENERS)];
    } control = {0};
    char byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(rights), sockets, sizeof(int) * count);
    ssize_t sent;
    do {
        sent = sendmsg(SBX_LISTENER_DESCRIPTOR, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == 1 ? 0 : sent < 0 ? -errno : -EIO;
}

static int make_listeners(const struct sbx_spec *spec) {
    int sockets[SBX_MAX_LISTENERS];
    uint32_t count = 0;
    int result = 0;
    while (result == 0 && count < spec->listener_count) {
        int made = make_listener(&spec->listeners[count]);
        if (made < 0) result = made;
        else sockets[count++] = made;
    }
    if (result == 0 && count > 0) result = send_listeners(sockets, count);
    // The caller's alone from here on: a copy in here would be one that the build's own processes come near to.
    for (uint32_t i = 0; i < count; i++) close(sockets[i]);
    return result;
}

// To who asks for addresses "if this machine has one" (man 3 getaddrinfo, AI_ADDRCONFIG) 127.0.0.1 is none: without a second one
// the names that lead to the listeners would not be found.
static int add_address(int any) {
    struct ifreq second = {.ifr_name = "lo:1"};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    memcpy(&second.ifr_addr, &address, sizeof address);
    return ioctl(any, SIOCSIFADDR, &second) != 0 ? -errno : 0;
}

int sbx_make_network(struct sbx_context *context) {
    const char *name = context->spec->host_name;
    if (name == NULL || sethostname(name, strlen(name)) != 0) return name == NULL ? -EINVAL : -errno;
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) return -errno;
    struct ifreq loopback = {.ifr_name = "lo"};
    loopback.ifr_flags = IFF_UP | IFF_RUNNING;
    int result = ioctl(any, SIOCSIFFLAGS, &loopback) != 0 ? -errno : 0;
    if (result == 0 && context->spec->listener_count > 0) result = add_address(any);
    close(any);
    return result == 0 ? make_listeners(context->spec) : result;
}
