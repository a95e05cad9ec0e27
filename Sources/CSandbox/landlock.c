// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Step 16: a second opinion on the file system, that holds also where a mount is not what it should be. Needs ABI 2:
// the first version forbids every rename between directories, which no build can live with.
//
// TCP rules are not used: they know ports only, and the network namespace has nothing but the loopback device.

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

// The kernel's own, as of ABI 7; Debian 12's header ends at ABI 2 (Documentation/userspace-api/landlock.rst).
enum {
    FS_EXECUTE = 1U << 0,
    FS_WRITE_FILE = 1U << 1,
    FS_READ_FILE = 1U << 2,
    FS_READ_DIR = 1U << 3,
    FS_ALL_1 = (1U << 13) - 1,
    FS_REFER = 1U << 13,
    FS_TRUNCATE = 1U << 14,
    FS_IOCTL_DEV = 1U << 15,
    SCOPE_ABSTRACT_UNIX_SOCKET = 1U << 0,
    SCOPE_SIGNAL = 1U << 1,
    CREATE_RULESET_VERSION = 1U << 0,
    RULE_PATH_BENEATH = 1,
};

struct ruleset {
    uint64_t handled_files;
    uint64_t handled_network;
    uint64_t scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

uint32_t sbx_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return version > 0 ? (uint32_t)version : 0;
}

static uint64_t handled(uint32_t version) {
    uint64_t rights = FS_ALL_1 | FS_REFER;
    if (version >= 3) rights |= FS_TRUNCATE;
    if (version >= 5) rights |= FS_IOCTL_DEV;
    return rights;
}

static int allow(int ruleset, const char *path, uint64_t rights) {
    struct path_rule rule = {.allowed = rights, .parent = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent < 0) return -errno;
    struct stat found;
    int result = fstat(rule.parent, &found) != 0 ? -errno : 0;
    // Rights that only make sense for directories are refused for a file.
    if (result == 0 && !S_ISDIR(found.st_mode)) {
        rule.allowed &= FS_EXECUTE | FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    }
    if (result == 0 && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0) result = -errno;
    close(rule.parent);
    return result;
}

static int allow_all(const struct sbx_context *context, int ruleset, uint64_t all) {
    const struct sbx_spec *spec = context->spec;
    const uint64_t change = FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
    int result = allow(ruleset, "/", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR);
    if (result == 0) result = allow(ruleset, "/dev", (change | FS_READ_DIR | FS_IOCTL_DEV) & all);
    if (result == 0) result = allow(ruleset, "/dev/shm", all & ~(uint64_t)FS_EXECUTE);
    if (result == 0) result = allow(ruleset, "/dev/mqueue", all & ~(uint64_t)FS_EXECUTE);
    uint64_t in_proc = context->sparable ? FS_READ_FILE | FS_READ_DIR : change | FS_READ_DIR;
    if (result == 0) result = allow(ruleset, "/proc", in_proc & all);
    for (uint32_t i = 0; result == 0 && i < spec->entry_count; i++) {
        const struct sbx_entry *entry = &spec->entries[i];
        int writable = (entry->head.options & SBX_ENTRY_WRITABLE) != 0;
        if (entry->head.kind == SBX_ENTRY_BIND && !writable) continue;
        if (entry->head.kind != SBX_ENTRY_BIND && entry->head.kind != SBX_ENTRY_SCRATCH) continue;
        result = allow(ruleset, entry->target, all);
        if (result == -ENOENT && (entry->head.options & SBX_ENTRY_OPTIONAL) != 0) result = 0;
    }
    return result;
}

int sbx_landlock(struct sbx_context *context) {
    uint32_t version = sbx_landlock_version();
    int required = (context->spec->settings.options & SBX_OPTION_REQUIRE_LANDLOCK) != 0;
    if (version < 2) return required ? -ENOTSUP : 0;  // told to the caller by the record of the start
    struct ruleset wanted = {.handled_files = handled(version)};
    if (version >= 6) wanted.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    // An older kernel knows a shorter struct, and accepts a longer one as long as the rest is zero.
    long ruleset = syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
    if (ruleset < 0) return -errno;
    int result = allow_all(context, (int)ruleset, wanted.handled_files);
    if (result == 0 && syscall(SYS_landlock_restrict_self, (int)ruleset, 0) != 0) result = -errno;
    close((int)ruleset);
    return result;
}
