// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// What one sandbox is made of, as bytes and as a struct. The bytes never leave the machine: integers are in host
// order. Layout: struct sbx_spec_header, then fields of struct sbx_field_header plus `length` bytes, to the end.
// Text in a field ends with one NUL and has no other.
#ifndef SBX_SPEC_H
#define SBX_SPEC_H

#include <stddef.h>
#include <stdint.h>

#ifndef __clang__  // gcc builds the jail; nullability tells Swift, through clang, what may be NULL
#define _Nonnull
#define _Nullable
#endif

/// "SBX1" read as a little-endian number.
#define SBX_SPEC_MAGIC 0x31584253U
/// The largest spec that is read: argv and environment of the kernel's own maximum, and room for the rest.
#define SBX_SPEC_MAX_BYTES (16U << 20)
/// The most fields a spec may have.
#define SBX_SPEC_MAX_FIELDS 65536U
/// Nobody is root inside: the only uid and gid of the step.
#define SBX_INSIDE_ID 1000U

struct sbx_spec_header {
    uint32_t magic;
    /// Of the whole spec, this header included.
    uint32_t size;
};

struct sbx_field_header {
    /// One of enum sbx_tag.
    uint32_t tag;
    /// Bytes that follow.
    uint32_t length;
};

/// Which field it is. Unknown ones are refused: a protection that the jail does not know must not be skipped.
enum sbx_tag {
    /// Text, in order.
    SBX_TAG_ARGUMENT = 1,
    /// Text `NAME=value`, in order.
    SBX_TAG_ENVIRONMENT = 2,
    /// Text, absolute, inside.
    SBX_TAG_WORKING_DIRECTORY = 3,
    /// Text.
    SBX_TAG_HOST_NAME = 4,
    /// struct sbx_settings.
    SBX_TAG_SETTINGS = 5,
    /// struct sbx_limits.
    SBX_TAG_LIMITS = 6,
    /// struct sbx_entry_header, then three texts: source, target, content. Carried out in order.
    SBX_TAG_ENTRY = 7,
    /// struct sbx_listener: a socket that is made inside and sent to the caller, in order.
    SBX_TAG_LISTENER = 8,
};

/// The most listeners of a sandbox: one packet carries them all.
#define SBX_MAX_LISTENERS 16U

enum sbx_transport {
    SBX_TRANSPORT_TCP = 1,
    SBX_TRANSPORT_UDP = 2,
};

/// A socket of the sandbox's own network, with version 4 of IP: by TCP it listens, by UDP it is bound.
struct sbx_listener {
    /// One of enum sbx_transport.
    uint32_t transport;
    /// In host order: of 127.0.0.0/8, or 0 for all that the sandbox has.
    uint32_t address;
    /// 1 to 65535.
    uint32_t port;
};

/// Which set of filters.
enum sbx_profile {
    SBX_PROFILE_STRICT = 0,
    /// ptrace of own children.
    SBX_PROFILE_DEBUG = 1,
    /// Drydock's own programs: openat2 beside what is strict. Builds do not get it: the mode of a new file stands in
    /// memory there, where a filter can not see that it is set-uid.
    SBX_PROFILE_TOOL = 2,
    SBX_PROFILE_COUNT = 3,
};

enum sbx_option {
    /// Report how long every step took.
    SBX_OPTION_TIMINGS = 1U << 0,
    /// Fail where memory and process limits can not be had from cgroups.
    SBX_OPTION_REQUIRE_CGROUPS = 1U << 1,
    /// Fail where the kernel has no Landlock, or its first version.
    SBX_OPTION_REQUIRE_LANDLOCK = 1U << 2,
};

struct sbx_settings {
    /// One of enum sbx_profile.
    uint32_t profile;
    /// Of enum sbx_option.
    uint32_t options;
    /// As root: the outside user and group of the step; the init has the one before. 0 = as an ordinary user, itself.
    uint32_t outside_id;
    /// The step that fails with EIO (for tests), or 0.
    uint32_t fault_step;
};

struct sbx_limits {
    uint64_t memory_bytes;
    uint64_t processes;
    uint64_t file_size_bytes;
    uint64_t open_files;
    /// Thousandths of a CPU, or 0 for all.
    uint64_t cpu_millis;
    /// Of /dev/shm and of a private /tmp, each; not 0.
    uint64_t scratch_bytes;
};

/// What an entry puts at its target.
enum sbx_entry_kind {
    /// The directory or file `source` of the host.
    SBX_ENTRY_BIND = 1,
    /// A private file system in memory, writable, mode 1777.
    SBX_ENTRY_SCRATCH = 2,
    /// A symbolic link to `content`.
    SBX_ENTRY_LINK = 3,
    /// A file with `content`.
    SBX_ENTRY_FILE = 4,
    /// A directory.
    SBX_ENTRY_DIRECTORY = 5,
};

enum sbx_entry_option {
    SBX_ENTRY_WRITABLE = 1U << 0,
    SBX_ENTRY_NO_EXEC = 1U << 1,
    /// A `source` that is not there is no failure.
    SBX_ENTRY_OPTIONAL = 1U << 2,
};

struct sbx_entry_header {
    /// One of enum sbx_entry_kind.
    uint32_t kind;
    /// Of enum sbx_entry_option.
    uint32_t options;
};

_Static_assert(sizeof(struct sbx_settings) == 16, "written field by field by the encoder");
_Static_assert(sizeof(struct sbx_limits) == 48, "written field by field by the encoder");
_Static_assert(sizeof(struct sbx_listener) == 12, "written field by field by the encoder");

/// One decoded entry; texts point into the spec's bytes.
struct sbx_entry {
    struct sbx_entry_header head;
    const char *_Nonnull source;
    const char *_Nonnull target;
    const char *_Nonnull content;
};

/// A decoded spec. Texts point into the bytes it was decoded from, which must outlive it; arrays are its own.
struct sbx_spec {
    uint32_t size;
    struct sbx_settings settings;
    struct sbx_limits limits;
    const char *_Nullable working_directory;
    const char *_Nullable host_name;
    /// NULL-terminated.
    char *_Nullable *_Nullable argv;
    /// NULL-terminated.
    char *_Nullable *_Nullable envp;
    struct sbx_entry *_Nullable entries;
    uint32_t argument_count;
    uint32_t environment_count;
    uint32_t entry_count;
    struct sbx_listener listeners[SBX_MAX_LISTENERS];
    uint32_t listener_count;
};

/// Makes an empty spec.
void sbx_spec_init(struct sbx_spec *_Nonnull spec);

/// Decodes and checks `bytes`: -EINVAL for anything malformed, -E2BIG for too much, -ENOMEM. The caller calls
/// sbx_spec_free in every case.
int sbx_spec_decode(const void *_Nonnull bytes, size_t size, struct sbx_spec *_Nonnull spec);

/// Frees what sbx_spec_decode has allocated.
void sbx_spec_free(struct sbx_spec *_Nonnull spec);

#endif
