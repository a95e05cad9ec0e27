// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// viewers PORT SESSION COUNT end|first|hold SECONDS: COUNT viewers of a session on one epoll loop, cheap beside any server. A `%` at
// the session's end gives each one of its own.
//
// Says "ready" when all have asked to see the session; with `end` each stays until the build's terminal message, with
// `first` until its first progress, with `hold` until the time is over. Then one line of JSON: lines that came and that were missed (a viewer's lines are
// numbered, see stamped-lines.c), the time from a line's stamp to its arrival, and the time it took altogether.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 4 << 20, SMALL_BUFFER = 64 << 10, MOST_SAMPLES = 8 << 20, MOST_UNGREETED = 1000 };

struct viewer {
    int fd;
    int upgraded, done;
    unsigned char *bytes;
    size_t count;
    uint64_t next; // the number of the line that should come next
};

static uint64_t lines, missed, messages, received, first_stamp, joined, ended;
static double *samples; // milliseconds from stamp to arrival
static size_t sampled;
static const char *until;
static size_t room = BUFFER;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/// Counts the lines of one progress message's `logs` that were not seen before.
static void take_lines(struct viewer *viewer, const char *text, const char *end, uint64_t arrived) {
    while ((text = memchr(text, '@', (size_t)(end - text))) != NULL) {
        char *rest;
        uint64_t stamp = strtoull(text + 1, &rest, 10), number = strtoull(rest, &rest, 10);
        text = rest;
        if (stamp == 0 || number < viewer->next) continue;
        missed += number - viewer->next;
        viewer->next = number + 1;
        lines++;
        if (first_stamp == 0 || stamp < first_stamp) first_stamp = stamp;
        if (sampled < MOST_SAMPLES) samples[sampled++] = (double)(arrived - stamp) / 1e6;
    }
}

static void take_message(struct viewer *viewer, unsigned char *bytes, size_t count) {
    const char *text = (const char *)bytes, *end = text + count;
    uint64_t arrived = now();
    messages++;
    unsigned char behind = bytes[count];
    bytes[count] = 0; // numbers end here, whatever follows
    const char *logs = memmem(text, count, "\"logs\":", 7);
    if (logs == NULL) logs = memmem(text, count, "\"logs\": ", 8);
    if (logs != NULL) {
        take_lines(viewer, logs, end, arrived);
        if (strcmp(until, "first") == 0) viewer->done = 1;
    } else if (memmem(text, count, "\"build_completed\"", 17) || memmem(text, count, "\"build_error\"", 13)) {
        viewer->done = 1;
    }
    bytes[count] = behind;
    if (viewer->done) ended = joined = arrived;
}

static void send_frame(struct viewer *viewer, unsigned char kind, const char *text) {
    unsigned char frame[256] = {kind};
    size_t count = strlen(text);
    frame[1] = (unsigned char)(0x80 | count); // masked with zeros, and shorter than 126
    memcpy(frame + 6, text, count);
    if (write(viewer->fd, frame, count + 6) != (ssize_t)(count + 6)) fail("write");
}

/// Takes the whole frames at the front of what has come.
static void take_frames(struct viewer *viewer) {
    size_t at = 0;
    while (!viewer->done && viewer->count - at >= 2) {
        unsigned char *frame = viewer->bytes + at;
        uint64_t count = frame[1] & 127;
        size_t head = count == 126 ? 4 : count == 127 ? 10 : 2;
        if (viewer->count - at < head) break;
        if (head > 2) count = 0;
        for (size_t index = 2; index < head; index++) count = count << 8 | frame[index];
        if (head + count >= room) fail("a frame too long");
        if (viewer->count - at < head + count) break;
        if ((frame[0] & 15) == 1) take_message(viewer, frame + head, count);
        if ((frame[0] & 15) == 9) send_frame(viewer, 0x8A, "");
        if ((frame[0] & 15) == 8) fail("the server closed a connection");
        at += head + count;
    }
    memmove(viewer->bytes, viewer->bytes + at, viewer->count - at);
    viewer->count -= at;
}

/// Reads what is there; true when the upgrade was just granted.
static int take(struct viewer *viewer, const char *session, size_t index) {
    int greeted = 0;
    for (;;) {
        // One byte stays free for the zero behind a message.
        ssize_t count = read(viewer->fd, viewer->bytes + viewer->count, room - 1 - viewer->count);
        if (count < 0) return greeted;
        if (count == 0) fail("the server ended a connection");
        received += (uint64_t)count;
        viewer->count += (size_t)count;
        if (!viewer->upgraded) {
            unsigned char *body = memmem(viewer->bytes, viewer->count, "\r\n\r\n", 4);
            if (body == NULL) continue;
            if (memcmp(viewer->bytes, "HTTP/1.1 101", 12) != 0) fail("the upgrade was refused");
            body += 4;
            viewer->count -= (size_t)(body - viewer->bytes);
            memmove(viewer->bytes, body, viewer->count);
            viewer->upgraded = greeted = 1;
            char hello[120], name[70];
            size_t length = strlen(session);
            if (length > 0 && session[length - 1] == '%')
                snprintf(name, sizeof name, "%.*s%zu", (int)(length < 40 ? length - 1 : 40), session, index);
            else
                snprintf(name, sizeof name, "%.60s", session);
            snprintf(hello, sizeof hello, "{\"type\":\"INIT\",\"session_id\":\"%s\"}", name);
            send_frame(viewer, 0x81, hello);
        }
        take_frames(viewer);
    }
}

static int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    dprintf(fd,
            "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            port);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: viewers PORT SESSION COUNT end|first|hold SECONDS\n");
        return 2;
    }
    int port = atoi(argv[1]), count = atoi(argv[3]), left = count, waiting = count, poll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t start = now(), deadline = start + strtoull(argv[5], NULL, 10) * 1000000000u;
    until = argv[4];
    if (strcmp(until, "hold") == 0) room = SMALL_BUFFER;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    samples = malloc(MOST_SAMPLES * sizeof *samples);
    struct viewer *viewers = calloc((size_t)count, sizeof *viewers);
    int opened = 0;
    while (left > 0 && now() < deadline) {
        // A server may let in fewer of those that have not asked yet.
        for (; opened < count && opened - (count - waiting) < MOST_UNGREETED; opened++) {
            struct viewer *viewer = &viewers[opened];
            // Only touched pages count: nearly all of it stays untouched.
            *viewer = (struct viewer){.fd = connected(port), .bytes = malloc(room)};
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
            epoll_ctl(poll, EPOLL_CTL_ADD, viewer->fd, &event);
        }
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 100);
        for (int index = 0; index < ready; index++) {
            struct viewer *viewer = events[index].data.ptr;
            if (take(viewer, argv[2], (size_t)(viewer - viewers)) && --waiting == 0) {
                printf("ready\n");
                fflush(stdout);
            }
            if (!viewer->done) continue;
            epoll_ctl(poll, EPOLL_CTL_DEL, viewer->fd, NULL);
            left--;
        }
    }
    qsort(samples, sampled, sizeof *samples, ascending);
    printf("{\"done\": %d, \"lines\": %llu, \"missed\": %llu, \"messages\": %llu, \"bytes\": %llu, \"p50\": %.3f, "
           "\"p99\": %.3f, \"burst\": %.3f, \"joined\": %.3f}\n",
           count - left, (unsigned long long)lines, (unsigned long long)missed, (unsigned long long)messages,
           (unsigned long long)received, sampled ? samples[sampled / 2] : 0, sampled ? samples[sampled * 99 / 100] : 0,
           first_stamp ? (double)(ended - first_stamp) / 1e6 : 0, (double)(joined - start) / 1e6);
    return 0;
}
