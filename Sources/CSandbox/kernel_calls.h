// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Calls and structs of the kernel that not every C library knows: the jail is built with musl where there is one
// (jail.mk). Instead of <sys/mount.h>, whose glibc 2.36 form does not go together with the kernel's own header.
#ifndef SBX_KERNEL_CALLS_INTERNAL_H
#define SBX_KERNEL_CALLS_INTERNAL_H

#include <linux/capability.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/// Of umount2, which the kernel's header does not have.
enum { SBX_MNT_DETACH = 2 };

static inline int sbx_mount(const char *source, const char *target, const char *type, unsigned long flags,
                            const char *options) {
    return (int)syscall(SYS_mount, source, target, type, flags, options);
}

static inline int sbx_umount2(const char *target, int flags) { return (int)syscall(SYS_umount2, target, flags); }

static inline int sbx_open_tree(int directory, const char *path, unsigned int flags) {
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

static inline int sbx_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned int flags) {
    return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int sbx_mount_setattr(int directory, const char *path, unsigned int flags, const struct mount_attr *wanted) {
    return (int)syscall(SYS_mount_setattr, directory, path, flags, wanted, sizeof *wanted);
}

static inline int sbx_fsopen(const char *type, unsigned int flags) { return (int)syscall(SYS_fsopen, type, flags); }

static inline int sbx_fsconfig(int system, unsigned int command, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, system, command, key, value, 0);
}

static inline int sbx_fsmount(int system, unsigned int flags, unsigned int attributes) {
    return (int)syscall(SYS_fsmount, system, flags, attributes);
}

static inline int sbx_close_range(unsigned int first, unsigned int last) {
    return (int)syscall(SYS_close_range, first, last, 0);
}

static inline int sbx_pidfd_send_signal(int process, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, process, signal, NULL, 0);
}

static inline int sbx_execveat(int directory, const char *path, char *const *argv, char *const *envp, int flags) {
    return (int)syscall(SYS_execveat, directory, path, argv, envp, flags);
}

/// By the call itself, as libraries do not agree on the type of `request`.
static inline int sbx_seccomp_ioctl(int listener, unsigned long request, const void *argument) {
    return (int)syscall(SYS_ioctl, listener, request, argument);
}

/// The permitted, effective and inheritable set of this process.
struct sbx_capabilities {
    struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static inline int sbx_capget(struct sbx_capabilities *held) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return (int)syscall(SYS_capget, &head, held->words);
}

static inline int sbx_capset(const struct sbx_capabilities *wanted) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return (int)syscall(SYS_capset, &head, wanted->words);
}

#endif
