// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// libFuzzer target: what the jail reads from its caller. Every text of an accepted spec is walked to its end, so that
// AddressSanitizer sees one that has none within the bytes.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sbx_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int holds) {
    if (!holds) abort();
}

static void walk_entry(const struct sbx_entry *entry) {
    (void)strlen(entry->source);
    (void)strlen(entry->content);
    check(entry->target[0] == '/' && entry->target[1] != 0);
    check(strstr(entry->target, "/../") == NULL);
    check(entry->head.kind >= SBX_ENTRY_BIND && entry->head.kind <= SBX_ENTRY_DIRECTORY);
}

static void walk(const struct sbx_spec *spec) {
    for (uint32_t i = 0; i < spec->argument_count; i++) (void)strlen(spec->argv[i]);
    check(spec->argv[spec->argument_count] == NULL);
    for (uint32_t i = 0; i < spec->environment_count; i++) check(strchr(spec->envp[i], '=') != NULL);
    check(spec->envp[spec->environment_count] == NULL);
    for (uint32_t i = 0; i < spec->entry_count; i++) walk_entry(&spec->entries[i]);
    check(spec->working_directory != NULL && spec->host_name != NULL && spec->limits.memory_bytes != 0);
}

static void decode(const uint8_t *bytes, size_t size) {
    struct sbx_spec spec;
    sbx_spec_init(&spec);
    if (sbx_spec_decode(bytes, size, &spec) == 0) walk(&spec);
    sbx_spec_free(&spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    decode(bytes, size);
    // The header holds the spec's size: a change of length, the mutation that says most, needs it corrected.
    if (size < sizeof(struct sbx_spec_header)) return 0;
    struct sbx_spec_header head = {.magic = SBX_SPEC_MAGIC, .size = (uint32_t)size};
    // Its own block, without a byte to spare: a read beyond the end must not find anything.
    uint8_t *copy = malloc(size);
    if (copy == NULL) return 0;
    memcpy(copy, bytes, size);
    memcpy(copy, &head, sizeof head);
    decode(copy, size);
    free(copy);
    return 0;
}
