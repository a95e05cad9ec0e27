// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Step 18: the program.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jail.h"
#include "kernel_calls.h"

/// Executes one candidate; returns only with a negative errno.
static int execute_at(const struct sbx_spec *spec, const char *path) {
    char start[2] = {0, 0};
    // Not blocking: it could be a named pipe, which nobody writes to.
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    // Of a search most are not there, and the kernel makes ready for a new program before it looks.
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR)) return -errno;
    ssize_t count = file < 0 ? 0 : read(file, start, sizeof start);
    // A script's interpreter would open it by /dev/fd/N, which is closed by then (man 2 execveat, "BUGS"). One that
    // may be executed but not read goes by its path too.
    if (count == (ssize_t)sizeof start && memcmp(start, "#!", sizeof start) != 0) {
        sbx_execveat(file, "", spec->argv, spec->envp, AT_EMPTY_PATH);
    } else {
        execve(path, spec->argv, spec->envp);
    }
    int result = -errno;
    if (file >= 0) close(file);
    return result;
}

static const char *search_path(const struct sbx_spec *spec) {
    for (char **entry = spec->envp; *entry != NULL; entry++) {
        if (strncmp(*entry, "PATH=", 5) == 0) return *entry + 5;
    }
    return "/usr/bin:/bin";
}

/// A program that is there but can not be executed is worth more to tell than one that is in none of the others.
static int search(const struct sbx_spec *spec) {
    char path[PATH_MAX];
    int result = -ENOENT;
    for (const char *at = search_path(spec); *at != 0;) {
        size_t length = strcspn(at, ":");
        // An empty part would mean the working directory, where the build's own files lie.
        if (length > 0) {
            int needed = snprintf(path, sizeof path, "%.*s/%s", (int)length, at, spec->argv[0]);
            if (needed < 0 || (size_t)needed >= sizeof path) return -ENAMETOOLONG;
            int tried = execute_at(spec, path);
            if (tried == -EACCES) result = -EACCES;
            if (tried != -ENOENT && tried != -ENOTDIR && tried != -EACCES) return tried;
        }
        at += length;
        if (*at == ':') at++;
    }
    return result;
}

int sbx_execute(struct sbx_context *context) {
    const struct sbx_spec *spec = context->spec;
    const char *program = spec->argv[0];
    if (program == NULL || program[0] == 0) return -ENOENT;
    return strchr(program, '/') != NULL ? execute_at(spec, program) : search(spec);
}
