// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The parent's watch over the sandbox's sockets. What waits in them is only in part counted by a control group: not in
// the queues of netlink, not in those of errors (IP_RECVERR, SO_TIMESTAMPING), and v1 lets go of a TCP connection that was
// closed before all was sent. So a sandbox may have as many sockets as could hold its memory limit, or all that the machine
// has for TCP, and ends with one more.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jail.h"

/// Both buffers of a connection (bounds.c), and the segment that may go beyond each.
enum { CONNECTION_BYTES = 2 * (SBX_TCP_BUFFER + 65536) };

/// The kernel's buffer size for new sockets, as a socket of this process has it: the files that tell it are not there in
/// every container.
static uint64_t default_buffer(int made, int which) {
    const uint64_t usual = 212992;
    int bytes = 0;
    socklen_t size = sizeof bytes;
    return getsockopt(made, SOL_SOCKET, which, &bytes, &size) == 0 && bytes > 0 ? (uint64_t)bytes : usual;
}

/// As many connections as all that the machine has for TCP would be filled by, so that one sandbox alone can not; and a
/// server's worth of them on the smallest machine.
static uint64_t machine_share(void) {
    const uint64_t least = 512;
    char text[96] = "";
    unsigned long long pages = 0;
    int file = open("/proc/sys/net/ipv4/tcp_mem", O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    // Only the machine's own network namespace tells: in a container the memory limit alone has to do.
    if (count <= 0 || sscanf(text, "%*u %*u %llu", &pages) != 1) return UINT64_MAX;
    uint64_t most = pages * (uint64_t)sysconf(_SC_PAGESIZE) / CONNECTION_BYTES;
    return most < least ? least : most;
}

/// Opened once, and from outside, before the child goes on: nothing inside can be in the way of the looks.
int sbx_sockets_open(struct sbx_context *context) {
    char path[64];
    struct sbx_sockets *sockets = &context->sockets;
    snprintf(path, sizeof path, "/proc/%d/net/sockstat", context->init);
    sockets->totals = open(path, O_RDONLY | O_CLOEXEC);
    if (sockets->totals < 0) return -errno;
    snprintf(path, sizeof path, "/proc/%d/net/protocols", context->init);
    sockets->protocols = open(path, O_RDONLY | O_CLOEXEC);
    if (sockets->protocols < 0) return -errno;
    // A filter keeps these from being changed for one socket.
    int made = context->control_parent;
    uint64_t each = default_buffer(made, SO_RCVBUF) + default_buffer(made, SO_SNDBUF);
    if (each < CONNECTION_BYTES) each = CONNECTION_BYTES;
    sockets->most = context->spec->limits.memory_bytes / each;
    return 0;
}

/// Sockets of the network namespace, whoever holds them: open, on their way in another socket, or closed and not yet
/// gone. 0 when it can not be read.
static uint64_t count_all(int totals) {
    static const char head[] = "sockets: used ";
    char text[256];
    ssize_t count = pread(totals, text, sizeof text - 1, 0);
    if (count <= 0) return 0;
    text[count] = 0;
    return strncmp(text, head, sizeof head - 1) == 0 ? strtoull(text + sizeof head - 1, NULL, 10) : 0;
}

/// Local sockets: the third word of the lines "UNIX" and "UNIX-STREAM".
static uint64_t count_local(int protocols) {
    char text[32768];
    size_t length = 0;
    uint64_t local = 0;
    for (;;) {
        ssize_t count = pread(protocols, text + length, sizeof text - 1 - length, (off_t)length);
        if (count <= 0) break;
        length += (size_t)count;
    }
    text[length] = 0;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        unsigned long long number = 0;
        if (*line == '\n') line++;
        int matches = strncmp(line, "UNIX ", 5) == 0 || strncmp(line, "UNIX-STREAM ", 12) == 0;
        if (matches && sscanf(line, "%*s %*u %llu", &number) == 1) local += number;
    }
    return local;
}

int sbx_sockets_exceed(struct sbx_context *context) {
    struct sbx_sockets *sockets = &context->sockets;
    // Most sandboxes end before the first look, so it is the look that asks.
    uint64_t share = sockets->shared ? sockets->most : machine_share();
    sockets->shared = 1;
    if (share < sockets->most) sockets->most = share;
    uint64_t used = count_all(sockets->totals);
    if (used <= sockets->most) return 0;
    // What waits in local sockets a control group counts, so there may be more of them.
    if ((context->cgroup.limits & SBX_LIMIT_MEMORY) == 0) return 1;
    uint64_t local = count_local(sockets->protocols);
    return used > local && used - local > sockets->most;
}
