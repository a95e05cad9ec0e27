// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The probes that take what the kernel counts for a user or for the machine: each up to a number that hurts nobody, and
// prints how many it got. A part of the program `probe`.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

long taking(const char *name);

/// Takes one of something; less than 0 when there is none left.
typedef long (*taker)(int number);

static long take(taker one, int most) {
    int count = 0;
    while (count < most && one(count) >= 0) count++;
    int error = errno;
    printf("%d ", count);
    errno = error;
    return count == most ? 0 : -1;
}

static long watcher(int number) {
    (void)number;
    return inotify_init1(0);
}

static long watch(int number) {
    static int watchers;
    char path[64];
    if (number == 0) watchers = inotify_init1(0);
    snprintf(path, sizeof path, "/dev/shm/d%d", number);
    return mkdir(path, 0755) != 0 ? -1 : inotify_add_watch(watchers, path, IN_CREATE);
}

static long timer(int number) {
    timer_t made;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    (void)number;
    return timer_create(CLOCK_MONOTONIC, &event, &made);
}

static long signal_waiting(int number) {
    sigset_t blocked;
    union sigval value = {.sival_int = number};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    return sigqueue(getpid(), SIGRTMIN, value);
}

static long queue(int number) {
    char name[32];
    snprintf(name, sizeof name, "/queue%d", number);
    return mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
}

static long queue_works(void) {
    char text[8192];
    unsigned int priority = 0;
    mqd_t made = mq_open("/works", O_RDWR | O_CREAT, 0600, NULL);
    if (made < 0 || mq_send(made, "hello", 6, 3) != 0) return -1;
    errno = EBADMSG;
    return mq_receive(made, text, sizeof text, &priority) == 6 && strcmp(text, "hello") == 0 ? 0 : -1;
}

static long terminal(int number) {
    (void)number;
    return posix_openpt(O_RDWR | O_NOCTTY);
}

/// A connection whose ends are `pair`, over the loopback device.
static int connection(int pair[2]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 1) != 0) return -1;
    if (getsockname(listener, (struct sockaddr *)&at, &size) != 0) return -1;
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (pair[0] < 0 || connect(pair[0], (struct sockaddr *)&at, size) != 0) return -1;
    pair[1] = accept(listener, NULL, NULL);
    close(listener);
    return pair[1] < 0 ? -1 : 0;
}

/// Mebibytes that wait in 100 connections which nobody reads; fails when they are more than `most`.
static long sockets(long most) {
    static char block[65536];
    long bytes = 0;
    for (int i = 0; i < 100; i++) {
        int pair[2];
        if (connection(pair) != 0) break;
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
        // What was sent arrives at once here; a few rounds let the buffers grow to their end.
        for (int round = 0; round < 50; round++) {
            ssize_t sent = send(pair[0], block, sizeof block, 0);
            if (sent > 0) bytes += sent;
            if (sent < 0) usleep(200);
        }
    }
    if (bytes >> 20 <= most) return 0;
    printf("%ld MiB ", bytes >> 20);
    errno = ENOBUFS;
    return -1;
}

/// 16 MiB through one connection, read as they come.
static long connection_works(void) {
    static char block[65536];
    int pair[2];
    long bytes = 0;
    if (connection(pair) != 0) return -1;
    if (fork() == 0) {
        for (int i = 0; i < 256; i++) send(pair[0], block, sizeof block, 0);
        _exit(0);
    }
    close(pair[0]);
    for (ssize_t count = 1; count > 0; bytes += count) count = recv(pair[1], block, sizeof block, 0);
    errno = EPIPE;
    return bytes == 16 << 20 ? 0 : -1;
}

static long huge(const char *how) {
    if (strcmp(how, "memfd") == 0) return memfd_create("huge", MFD_HUGETLB);
    if (strcmp(how, "shm") == 0) return shmget(IPC_PRIVATE, 2 << 20, IPC_CREAT | SHM_HUGETLB | 0600);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_HUGETLB;
    return mmap(NULL, 2 << 20, PROT_READ, flags, -1, 0) == MAP_FAILED ? -1 : 0;
}

/// Asks for `size` of core files, which must not fail, and then for what there is: it must be what it was.
static long core(rlim_t size) {
    struct rlimit wanted = {.rlim_cur = size, .rlim_max = size};
    struct rlimit before;
    struct rlimit after;
    if (getrlimit(RLIMIT_CORE, &before) != 0 || setrlimit(RLIMIT_CORE, &wanted) != 0) return -1;
    if (prlimit(0, RLIMIT_CORE, &wanted, NULL) != 0 || getrlimit(RLIMIT_CORE, &after) != 0) return -1;
    errno = ERANGE;
    return before.rlim_cur == 1 && after.rlim_cur == 1 && after.rlim_max == 1 ? 0 : -1;
}

long taking(const char *name) {
#define PROBE(text, expression) if (strcmp(name, text) == 0) return (long)(expression)
    PROBE("watchers", take(watcher, 100));
    PROBE("a_watcher", take(watcher, 10));
    PROBE("watches", take(watch, 9000));
    PROBE("some_watches", take(watch, 500));
    PROBE("timers", take(timer, 4000));
    PROBE("some_timers", take(timer, 500));
    PROBE("signals", take(signal_waiting, 4000));
    PROBE("queues", take(queue, 9));
    PROBE("queue_works", queue_works());
    PROBE("terminals", take(terminal, 200));
    PROBE("some_terminals", take(terminal, 30));
    PROBE("sockets", sockets(32));
    PROBE("connection_works", connection_works());
    PROBE("huge_memfd", huge("memfd"));
    PROBE("huge_mmap", huge("mmap"));
    PROBE("huge_shm", huge("shm"));
    PROBE("core_none", core(0));
    PROBE("core_all", core(RLIM_INFINITY));
    return -2;
}
