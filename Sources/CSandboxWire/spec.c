// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "sbx_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sbx_spec_init(struct sbx_spec *spec) {
    *spec = (struct sbx_spec){.size = sizeof *spec};
}

void sbx_spec_free(struct sbx_spec *spec) {
    free(spec->argv);
    free(spec->envp);
    free(spec->entries);
    sbx_spec_init(spec);
}

/// One field of the spec, its payload unread.
struct field {
    uint32_t tag;
    const char *bytes;
    uint32_t length;
};

/// Takes the next field off `*bytes`; -EINVAL when it does not fit into what is left.
static int next_field(const char **bytes, size_t *left, struct field *field) {
    struct sbx_field_header head;
    if (*left < sizeof head) return -EINVAL;
    memcpy(&head, *bytes, sizeof head);
    *bytes += sizeof head;
    *left -= sizeof head;
    if (head.length > *left) return -EINVAL;
    *field = (struct field){.tag = head.tag, .bytes = *bytes, .length = head.length};
    *bytes += head.length;
    *left -= head.length;
    return 0;
}

/// Takes one NUL-terminated text off the field.
static int take_text(struct field *field, const char **text) {
    const char *end = memchr(field->bytes, 0, field->length);
    if (end == NULL) return -EINVAL;
    *text = field->bytes;
    field->length -= (uint32_t)(end + 1 - field->bytes);
    field->bytes = end + 1;
    return 0;
}

/// A field that is one text and nothing else.
static int whole_text(struct field field, const char **text) {
    int result = take_text(&field, text);
    return result == 0 && field.length != 0 ? -EINVAL : result;
}

/// A field that is one struct and nothing else.
static int whole_struct(struct field field, void *value, size_t size) {
    if (field.length != size) return -EINVAL;
    memcpy(value, field.bytes, size);
    return 0;
}

/// Absolute, and without a component that leads up or nowhere.
static int check_inside_path(const char *path) {
    if (path[0] != '/') return -EINVAL;
    for (const char *at = path; at != NULL; at = strchr(at + 1, '/')) {
        size_t length = strcspn(at + 1, "/");
        int dots = (length == 1 && at[1] == '.') || (length == 2 && at[1] == '.' && at[2] == '.');
        if (dots || (length == 0 && path[1] != 0)) return -EINVAL;
    }
    return 0;
}

static int decode_entry(struct field field, struct sbx_entry *entry) {
    if (field.length < sizeof entry->head) return -EINVAL;
    memcpy(&entry->head, field.bytes, sizeof entry->head);
    field.bytes += sizeof entry->head;
    field.length -= (uint32_t)sizeof entry->head;
    int result = take_text(&field, &entry->source);
    if (result == 0) result = take_text(&field, &entry->target);
    if (result == 0) result = whole_text(field, &entry->content);
    if (result != 0) return result;
    const uint32_t known = SBX_ENTRY_WRITABLE | SBX_ENTRY_NO_EXEC | SBX_ENTRY_OPTIONAL;
    if (entry->head.kind < SBX_ENTRY_BIND || entry->head.kind > SBX_ENTRY_DIRECTORY) return -EINVAL;
    if ((entry->head.options & ~known) != 0) return -EINVAL;
    if (entry->head.kind == SBX_ENTRY_BIND && entry->source[0] != '/') return -EINVAL;
    return entry->target[1] == 0 ? -EINVAL : check_inside_path(entry->target);
}

static int decode_listener(struct field field, struct sbx_spec *spec) {
    struct sbx_listener listener;
    if (spec->listener_count >= SBX_MAX_LISTENERS) return -E2BIG;
    int result = whole_struct(field, &listener, sizeof listener);
    if (result != 0) return result;
    if (listener.transport != SBX_TRANSPORT_TCP && listener.transport != SBX_TRANSPORT_UDP) return -EINVAL;
    if (listener.address != 0 && listener.address >> 24 != 127) return -EINVAL;
    if (listener.port == 0 || listener.port > UINT16_MAX) return -EINVAL;
    spec->listeners[spec->listener_count++] = listener;
    return 0;
}

static int decode_field(struct field field, struct sbx_spec *spec) {
    const char *text = NULL;
    int result;
    switch (field.tag) {
    case SBX_TAG_ARGUMENT:
        result = whole_text(field, &text);
        if (result == 0) spec->argv[spec->argument_count++] = (char *)(uintptr_t)text;
        return result;
    case SBX_TAG_ENVIRONMENT:
        result = whole_text(field, &text);
        if (result != 0 || strchr(text, '=') == NULL || text[0] == '=') return -EINVAL;
        spec->envp[spec->environment_count++] = (char *)(uintptr_t)text;
        return 0;
    case SBX_TAG_WORKING_DIRECTORY:
        result = whole_text(field, &spec->working_directory);
        return result != 0 ? result : check_inside_path(spec->working_directory);
    case SBX_TAG_HOST_NAME:
        return whole_text(field, &spec->host_name);
    case SBX_TAG_SETTINGS:
        return whole_struct(field, &spec->settings, sizeof spec->settings);
    case SBX_TAG_LIMITS:
        return whole_struct(field, &spec->limits, sizeof spec->limits);
    case SBX_TAG_ENTRY:
        return decode_entry(field, &spec->entries[spec->entry_count++]);
    case SBX_TAG_LISTENER:
        return decode_listener(field, spec);
    default:
        return -EINVAL;
    }
}

/// Counts the fields of each list, so that its array is allocated once.
static int allocate(const char *bytes, size_t left, struct sbx_spec *spec) {
    size_t counts[SBX_TAG_ENTRY + 1] = {0};
    for (uint32_t fields = 0; left > 0; fields++) {
        struct field field;
        int result = next_field(&bytes, &left, &field);
        if (result != 0) return result;
        if (fields >= SBX_SPEC_MAX_FIELDS) return -E2BIG;
        if (field.tag <= SBX_TAG_ENTRY) counts[field.tag]++;
    }
    spec->argv = calloc(counts[SBX_TAG_ARGUMENT] + 1, sizeof *spec->argv);
    spec->envp = calloc(counts[SBX_TAG_ENVIRONMENT] + 1, sizeof *spec->envp);
    spec->entries = calloc(counts[SBX_TAG_ENTRY] + 1, sizeof *spec->entries);
    return spec->argv == NULL || spec->envp == NULL || spec->entries == NULL ? -ENOMEM : 0;
}

static int check_complete(const struct sbx_spec *spec) {
    const uint32_t known = SBX_OPTION_TIMINGS | SBX_OPTION_REQUIRE_CGROUPS | SBX_OPTION_REQUIRE_LANDLOCK;
    if (spec->working_directory == NULL || spec->host_name == NULL) return -EINVAL;
    if (spec->limits.memory_bytes == 0 || spec->limits.processes == 0) return -EINVAL;
    if (spec->limits.open_files < 3 || spec->limits.file_size_bytes == 0) return -EINVAL;
    // To tmpfs a size of 0 means: as much as there is.
    if (spec->limits.scratch_bytes == 0) return -EINVAL;
    if (spec->settings.profile >= SBX_PROFILE_COUNT) return -EINVAL;
    return (spec->settings.options & ~known) != 0 ? -EINVAL : 0;
}

int sbx_spec_decode(const void *bytes, size_t size, struct sbx_spec *spec) {
    struct sbx_spec_header head;
    if (size > SBX_SPEC_MAX_BYTES) return -E2BIG;
    if (size < sizeof head) return -EINVAL;
    memcpy(&head, bytes, sizeof head);
    if (head.magic != SBX_SPEC_MAGIC || head.size != size) return -EINVAL;
    const char *at = (const char *)bytes + sizeof head;
    size_t left = size - sizeof head;
    int result = allocate(at, left, spec);
    while (result == 0 && left > 0) {
        struct field field;
        result = next_field(&at, &left, &field);
        if (result == 0) result = decode_field(field, spec);
    }
    return result != 0 ? result : check_complete(spec);
}
