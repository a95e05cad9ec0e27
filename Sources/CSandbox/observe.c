// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// The calls that are refused by the init's word (man 2 seccomp_unotify). Who makes one waits until it is answered, and is
// always answered with an error, the same that the filter without an observer gives: what is read of the caller meanwhile
// is for people, and nothing hangs on it.
//
// The init is of the build's own group and namespaces: a flood of calls costs the build and nobody else.

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kernel_calls.h"
#include "observe.h"
#include "refusals.h"
#include "seccomp_load.h"

// Newer than the headers of some distributions; a kernel that does not know them says so.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

/// Told one by one for each call, and of all together; the others are counted.
enum { MOST_OF_A_CALL = 8, MOST_OF_ALL = 64 };

/// The kernel may know larger structs than we do, and writes its own size (man 2 seccomp, SECCOMP_GET_NOTIF_SIZES).
union request {
    struct seccomp_notif known;
    unsigned char room[512];
};
union response {
    struct seccomp_notif_resp known;
    unsigned char room[512];
};

/// Which arguments of a call are texts worth telling.
struct texts {
    int number;
    int first;
    int second;
};

static const struct texts texts[] = {
    {__NR_mount, 1, 2}, {__NR_umount2, 0, -1}, {__NR_chroot, 0, -1}, {__NR_pivot_root, 0, -1},
    {__NR_open_tree, 1, -1}, {__NR_move_mount, 3, -1}, {__NR_mount_setattr, 1, -1}, {__NR_fsopen, 0, -1},
    {__NR_fspick, 1, -1}, {__NR_swapon, 0, -1}, {__NR_swapoff, 0, -1}, {__NR_acct, 0, -1}, {__NR_add_key, 0, 1},
    {__NR_request_key, 0, 1}, {__NR_name_to_handle_at, 1, -1}, {__NR_delete_module, 0, -1}, {__NR_fchmodat, 1, -1},
    {__NR_openat, 1, -1}, {__NR_mknodat, 1, -1}, {__NR_quotactl, 1, -1},
#ifdef __x86_64__
    {__NR_chmod, 0, -1}, {__NR_creat, 0, -1}, {__NR_open, 0, -1}, {__NR_mknod, 0, -1},
#endif
};

int sbx_observe_load(const struct sbx_filter *filter, int *listener) {
    struct sock_fprog program = sbx_filter_program(filter);
    // Once a call has been read, only death takes its caller away: a signal would have it made, and told, again and again.
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (result < 0 && errno == EINVAL) {
        flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    }
    if (result < 0) return -errno;
    *listener = (int)result;
    return 0;
}

int sbx_observe_hand_over(int socket, int listener) {
    union {
        struct cmsghdr head;
        unsigned char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    char byte = 1;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room,
    };
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.head), &listener, sizeof listener);
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == 1 ? 0 : -errno;
}

int sbx_observe_take_over(int socket) {
    union {
        struct cmsghdr head;
        unsigned char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room,
    };
    ssize_t received;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received != 1 || control.head.cmsg_len != CMSG_LEN(sizeof(int)) || control.head.cmsg_type != SCM_RIGHTS) return -1;
    int listener;
    memcpy(&listener, CMSG_DATA(&control.head), sizeof listener);
    // 5 us a call instead of 40, since Linux 6.6.
    syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    return listener;
}

/// Reads a text of another process as far as it can be read; "" else.
static void read_text(pid_t process, uint64_t address, char *text, size_t size) {
    memset(text, 0, size);
    const uint64_t page = 4096;
    size_t first = page - address % page < size - 1 ? (size_t)(page - address % page) : size - 1;
    struct iovec here = {.iov_base = text, .iov_len = size - 1};
    // Two parts, as each is read whole or not at all, and a text may end where its mapping does.
    struct iovec there[] = {
        {.iov_base = (void *)(uintptr_t)address, .iov_len = first},
        {.iov_base = (void *)(uintptr_t)(address + first), .iov_len = size - 1 - first},
    };
    if (process_vm_readv(process, &here, 1, there, first < size - 1 ? 2 : 1, 0) < 0) text[0] = 0;
    // Nothing behind its end is told.
    size_t length = strlen(text);
    memset(text + length, 0, size - length);
}

/// What runs there: the program's file, else what the process calls itself.
static void read_program(int processes, pid_t process, char *text, size_t size) {
    char path[32];
    memset(text, 0, size);
    snprintf(path, sizeof path, "%d/exe", process);
    ssize_t count = readlinkat(processes, path, text, size - 1);
    if (count > 0) return;
    snprintf(path, sizeof path, "%d/comm", process);
    int file = openat(processes, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    count = read(file, text, size - 1);
    if (count > 0 && text[count - 1] == '\n') text[count - 1] = 0;
    close(file);
}

static void describe(const struct sbx_observer *observer, const struct seccomp_notif *request, struct sbx_violation *violation) {
    memset(violation, 0, sizeof *violation);
    int number = request->data.nr;
    const char *name = sbx_refusal_name(number);
    snprintf(violation->call, sizeof violation->call, "%s", name != NULL ? name : "?");
    violation->process = (int32_t)request->pid;
    violation->error = sbx_refusal_error(number, (const uint64_t *)request->data.args);
    violation->count = 1;
    for (size_t i = 0; i < 6; i++) violation->arguments[i] = request->data.args[i];
    read_program(observer->processes, (pid_t)request->pid, violation->program, sizeof violation->program);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].number != number) continue;
        read_text((pid_t)request->pid, request->data.args[texts[i].first], violation->first, sizeof violation->first);
        if (texts[i].second < 0) continue;
        read_text((pid_t)request->pid, request->data.args[texts[i].second], violation->second, sizeof violation->second);
    }
}

/// Whether this call is told by itself.
static int is_told(struct sbx_observer *observer, int number) {
    if (number < 0 || number >= SBX_OBSERVED_CALLS) return 0;
    struct sbx_observed *call = &observer->calls[number];
    if (call->told < MOST_OF_A_CALL && observer->told < MOST_OF_ALL) {
        call->told += 1;
        observer->told += 1;
        return 1;
    }
    call->untold += 1;
    return 0;
}

int sbx_observe(struct sbx_observer *observer, struct sbx_violation *violation) {
    union request request;
    union response response;
    memset(&request, 0, sizeof request);
    memset(&response, 0, sizeof response);
    // Never waits, as there is a call to be read; its caller may have died meanwhile.
    if (sbx_seccomp_ioctl(observer->listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return 0;
    int told = is_told(observer, request.known.data.nr);
    if (told) describe(observer, &request.known, violation);
    // What was read was the caller's only if it still waits.
    told = told && sbx_seccomp_ioctl(observer->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.known.id) == 0;
    response.known.id = request.known.id;
    response.known.error = -sbx_refusal_error(request.known.data.nr, (const uint64_t *)request.known.data.args);
    sbx_seccomp_ioctl(observer->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    return told;
}

int sbx_observe_rest(struct sbx_observer *observer, struct sbx_violation *violation) {
    memset(violation, 0, sizeof *violation);
    for (int number = 0; number < SBX_OBSERVED_CALLS; number++) {
        const char *name = observer->calls[number].untold > 0 ? sbx_refusal_name(number) : NULL;
        if (name == NULL) continue;
        snprintf(violation->call, sizeof violation->call, "%s", name);
        violation->count = observer->calls[number].untold;
        observer->calls[number].untold = 0;
        return 1;
    }
    return 0;
}
