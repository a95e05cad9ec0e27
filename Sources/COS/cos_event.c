// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "cos_event.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

int cos_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

enum { MOST = 64 };

int cos_ready_set(void) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    return set < 0 ? -errno : set;
}

int cos_ready_add(int set, int descriptor, uint64_t key) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = key};
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

int cos_ready_wait(int set, struct cos_ready *found, int most, int milliseconds) {
    struct epoll_event events[MOST];
    int count = epoll_wait(set, events, most < MOST ? most : MOST, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        uint32_t all = events[i].events;
        found[i].key = events[i].data.u64;
        found[i].reads = (all & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0;
        found[i].writes = (all & (EPOLLOUT | EPOLLHUP)) != 0;
        found[i].fails = (all & EPOLLERR) != 0;
    }
    return count;
}

ssize_t cos_splice(int from, int to, size_t most) {
    ssize_t count = splice(from, NULL, to, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    return count < 0 ? -errno : count;
}

int cos_pipe_resize(int pipe, int size) {
    int made = fcntl(pipe, F_SETPIPE_SZ, size);
    return made < 0 ? -errno : made;
}
