// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "cos_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/// Gives every descriptor a number that no target has, so that no dup2 overwrites a later source.
static int lift(const struct cos_spawn_request *request, int lifted[COS_SPAWN_DESCRIPTORS]) {
    for (size_t i = 0; i < request->descriptor_count; i++) {
        lifted[i] = fcntl(request->descriptors[i].from, F_DUPFD_CLOEXEC, COS_SPAWN_DESCRIPTORS);
        if (lifted[i] < 0) return -errno;
    }
    return 0;
}

static int fill_actions(const struct cos_spawn_request *request, const int *lifted,
                        posix_spawn_file_actions_t *actions) {
    int highest = -1;
    for (size_t i = 0; i < request->descriptor_count; i++) {
        int target = request->descriptors[i].to;
        if (target < 0 || target >= COS_SPAWN_DESCRIPTORS) return -EINVAL;
        int problem = posix_spawn_file_actions_adddup2(actions, lifted[i], target);
        if (problem != 0) return -problem;
        if (target > highest) highest = target;
    }
    // Our own descriptors are all close-on-exec; those of a library might not be.
    return -posix_spawn_file_actions_addclosefrom_np(actions, highest + 1);
}

static int fill_attributes(posix_spawnattr_t *attributes) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int problem = posix_spawnattr_setsigmask(attributes, &none);
    if (problem == 0) problem = posix_spawnattr_setsigdefault(attributes, &all);
    if (problem == 0) {
        short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
        problem = posix_spawnattr_setflags(attributes, flags);
    }
    return -problem;
}

static int spawn_with(const struct cos_spawn_request *request, const int *lifted, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int problem = posix_spawn_file_actions_init(&actions);
    if (problem != 0) return -problem;
    problem = posix_spawnattr_init(&attributes);
    if (problem != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -problem;
    }
    int result = fill_actions(request, lifted, &actions);
    if (result == 0) result = fill_attributes(&attributes);
    if (result == 0) {
        result = -posix_spawn(child, request->path, &actions, &attributes, request->argv, request->envp);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

int cos_spawn(const struct cos_spawn_request *request, int32_t *pid, int32_t *pidfd) {
    if (request->descriptor_count > COS_SPAWN_DESCRIPTORS) return -EINVAL;
    int lifted[COS_SPAWN_DESCRIPTORS];
    for (size_t i = 0; i < COS_SPAWN_DESCRIPTORS; i++) lifted[i] = -1;
    pid_t child = -1;
    int result = lift(request, lifted);
    if (result == 0) result = spawn_with(request, lifted, &child);
    for (size_t i = 0; i < COS_SPAWN_DESCRIPTORS; i++) {
        if (lifted[i] >= 0) close(lifted[i]);
    }
    if (result != 0) return result;
    // The child is ours and not yet waited for, so its number can not have been given away.
    int descriptor = pidfd_open(child, 0);
    if (descriptor < 0) {
        result = -errno;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return result;
    }
    *pid = child;
    *pidfd = descriptor;
    return 0;
}

static int64_t microseconds(struct timeval time) {
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

int cos_pidfd(int32_t pid, int32_t *pidfd) {
    int descriptor = pidfd_open(pid, 0);
    if (descriptor < 0) return -errno;
    *pidfd = descriptor;
    return 0;
}

int cos_wait(int32_t pidfd, struct cos_ending *ending) {
    siginfo_t info;
    struct rusage usage;
    long result;
    // By number: the kernel's waitid has a fifth argument, which glibc's has not (man 2 waitid, "C library").
    do {
        result = syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED, &usage);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    int exited = info.si_code == CLD_EXITED;
    ending->code = exited ? info.si_status : -1;
    ending->signal = exited ? 0 : info.si_status;
    ending->cpu_user_us = microseconds(usage.ru_utime);
    ending->cpu_system_us = microseconds(usage.ru_stime);
    ending->peak_bytes = (int64_t)usage.ru_maxrss * 1024;
    return 0;
}

int cos_signal(int32_t pidfd, int32_t signal) {
    return pidfd_send_signal(pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int cos_pipe(int32_t ends[2]) {
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

int cos_packet_pair(int32_t ends[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int cos_receive_descriptors(int32_t socket, int32_t *descriptors, size_t count) {
    enum { MOST = 16 };
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int) * MOST)];
    } control;
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t received;
    if (count > MOST) return -E2BIG;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    size_t found = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        size_t here = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(head) + i * sizeof descriptor, sizeof descriptor);
            if (found < count) descriptors[found] = descriptor;
            else close(descriptor);
            found++;
        }
    }
    if (found == count && (message.msg_flags & MSG_CTRUNC) == 0) return 0;
    for (size_t i = 0; i < found && i < count; i++) close(descriptors[i]);
    return received == 0 ? -EPIPE : -EBADMSG;
}

static int write_all(int file, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

int cos_sealed_file(const char *name, const void *bytes, size_t size, int32_t *file) {
    int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0) return -errno;
    int result = write_all(made, bytes, size);
    if (result == 0 && lseek(made, 0, SEEK_SET) < 0) result = -errno;
    int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (result == 0 && fcntl(made, F_ADD_SEALS, seals) < 0) result = -errno;
    if (result != 0) {
        close(made);
        return result;
    }
    *file = made;
    return 0;
}

int cos_event(int32_t *event) {
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0) return -errno;
    *event = made;
    return 0;
}

int cos_event_signal(int32_t event) {
    return eventfd_write(event, 1) < 0 ? -errno : 0;
}

void cos_name_thread(const char *name) {
    prctl(PR_SET_NAME, name);  // can not fail; the kernel cuts what is too long
}
