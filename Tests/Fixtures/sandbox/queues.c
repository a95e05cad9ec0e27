// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The probes that let memory wait in sockets, where no control group counts it: in a number of sockets that is bounded,
// and at most a quarter of a mebibyte in each. A part of the program `probe`.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

long queues(const char *name);

enum { MANY = 300, FEW = 20, MESSAGES = 100 };

static const int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_SOFTWARE;

/// Long enough to be counted by who watches.
static long stay(void) {
    usleep(500000);
    return 0;
}

/// Asks each of `count` sockets about the loopback device again and again, and reads no answer.
static long netlink_queues(int count) {
    struct { struct nlmsghdr head; struct ifinfomsg about; } request = {
        .head = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
        .about = {.ifi_index = 1},
    };
    for (int i = 0; i < count; i++) {
        int made = socket(AF_NETLINK, SOCK_RAW, 0);
        if (made < 0) return -1;
        for (int k = 0; k < MESSAGES; k++) send(made, &request, sizeof request, MSG_DONTWAIT);
    }
    return stay();
}

/// A socket on a port of its own, and its address.
static int receiver(int kind, struct sockaddr_in *at) {
    socklen_t size = sizeof *at;
    int made = socket(AF_INET, kind, 0);
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(made, (struct sockaddr *)at, size) != 0 || getsockname(made, (struct sockaddr *)at, &size) != 0) return -1;
    return made;
}

/// A datagram that asks for a time stamp of itself by a control message.
static void send_stamped(int from, struct sockaddr_in *to, char *text, size_t length) {
    char control[CMSG_SPACE(sizeof stamps)] = {0};
    struct iovec part = {.iov_base = text, .iov_len = length};
    struct msghdr message = {
        .msg_name = to, .msg_namelen = sizeof *to, .msg_iov = &part, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control,
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SO_TIMESTAMPING;
    head->cmsg_len = CMSG_LEN(sizeof stamps);
    memcpy(CMSG_DATA(head), &stamps, sizeof stamps);
    sendmsg(from, &message, MSG_DONTWAIT);
}

enum how { REFUSED, STAMPED, STAMPED_EACH };

/// Lets `count` sockets queue what became of their datagrams: that nobody took them, or when they went.
static long error_queues(int count, enum how how) {
    char text[1000] = "";
    const int on = 1;
    struct sockaddr_in to;
    int sink = receiver(SOCK_DGRAM, &to);
    if (sink < 0) return -1;
    if (how == REFUSED) close(sink);
    for (int i = 0; i < count; i++) {
        int made = socket(AF_INET, SOCK_DGRAM, 0);
        if (made < 0) return -1;
        if (how == REFUSED && setsockopt(made, IPPROTO_IP, IP_RECVERR, &on, sizeof on) != 0) return -1;
        if (how == STAMPED && setsockopt(made, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps) != 0) return -1;
        for (int k = 0; k < MESSAGES; k++) {
            if (how == STAMPED_EACH) {
                send_stamped(made, &to, text, sizeof text);
            } else {
                sendto(made, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
            }
            if (how != REFUSED) recv(sink, text, sizeof text, MSG_DONTWAIT);
        }
    }
    return stay();
}

/// `count` connections, kept by the server; the client's ends are kept too, or filled and closed before anybody reads.
static long connections(int count, int fill_and_close) {
    static char block[65536];
    struct sockaddr_in to;
    int listener = receiver(SOCK_STREAM, &to);
    if (listener < 0 || listen(listener, 16) != 0) return -1;
    for (int i = 0; i < count; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        if (client < 0 || connect(client, (struct sockaddr *)&to, sizeof to) != 0) return -1;
        int server = accept(listener, NULL, NULL);
        if (server < 0) return -1;
        if (fill_and_close) {
            while (send(client, block, sizeof block, MSG_DONTWAIT) > 0) {}
            close(client);
        } else if (send(client, "hello", 5, 0) != 5 || recv(server, block, sizeof block, 0) != 5) {
            return -1;
        }
    }
    return stay();
}

/// Sockets that no process has open: each is sent through a local one, and closed.
static long on_their_way(int count) {
    int pair[2];
    for (int i = 0; i < count; i++) {
        // One for each, as few fit into a queue.
        if (i % 8 == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) return -1;
        int made = socket(AF_NETLINK, SOCK_RAW, 0);
        char control[CMSG_SPACE(sizeof made)] = {0};
        struct iovec part = {.iov_base = "x", .iov_len = 1};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control,
        };
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof made);
        memcpy(CMSG_DATA(head), &made, sizeof made);
        if (made < 0 || sendmsg(pair[0], &message, 0) != 1) return -1;
        close(made);
    }
    return stay();
}

static long local(int count) {
    int pair[2];
    for (int i = 0; i < count; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || write(pair[0], "x", 1) != 1) return -1;
    }
    return stay();
}

/// Asks one socket of each family for large buffers; they must be what they were.
static long buffers_stay(void) {
    const int families[] = {AF_INET, AF_UNIX, AF_NETLINK};
    const int options[] = {SO_RCVBUF, SO_SNDBUF};
    const int wanted = 1 << 24;
    for (int i = 0; i < 6; i++) {
        int before = 0;
        int after = 0;
        socklen_t size = sizeof before;
        int made = socket(families[i / 2], SOCK_DGRAM, 0);
        if (getsockopt(made, SOL_SOCKET, options[i % 2], &before, &size) != 0) return -1;
        if (setsockopt(made, SOL_SOCKET, options[i % 2], &wanted, sizeof wanted) != 0) return -1;
        if (getsockopt(made, SOL_SOCKET, options[i % 2], &after, &size) != 0) return -1;
        errno = ERANGE;
        if (before != after) return -1;
    }
    return 0;
}

long queues(const char *name) {
#define PROBE(text, expression) if (strcmp(name, text) == 0) return (long)(expression)
    PROBE("netlink_queues", netlink_queues(MANY));
    PROBE("few_netlink_queues", netlink_queues(FEW));
    PROBE("error_queues", error_queues(MANY, REFUSED));
    PROBE("few_error_queues", error_queues(FEW, STAMPED));
    PROBE("timestamp_queues", error_queues(MANY, STAMPED));
    PROBE("timestamp_messages", error_queues(MANY, STAMPED_EACH));
    PROBE("orphans", connections(MANY, 1));
    PROBE("many_connections", connections(MANY, 0));
    PROBE("sockets_on_their_way", on_their_way(MANY));
    PROBE("many_local", local(MANY));
    PROBE("buffers_stay", buffers_stay());
    return -2;
}
