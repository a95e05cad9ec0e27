// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// drydock-jail: puts one program into a sandbox. Alone, as `drydock-jail --spec FILE -- ARGV`, or driven by another
// program over a packet socket (sbx_report.h). docs/sandbox.md tells what it does and why.

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sbx_jail.h"

#include "filters.inc"  // written by filter-gen

// Exit statuses as of `drydock run`.
enum { EXIT_USAGE = 64, EXIT_SETUP = 125, EXIT_CANNOT_EXECUTE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNALLED = 128 };

struct arguments {
    const char *spec;
    char **argv;
    int timings;
    int driven;
    int reap;
};

static int usage(void) {
    fputs("usage: drydock-jail --spec FILE [--timings] [-- ARGV...]\n"
          "       drydock-jail --reap\n"
          "Runs ARGV, or the spec's own command, in the sandbox that FILE describes\n"
          "(`drydock sandbox spec --output FILE` writes one).\n"
          "--reap removes the control groups that killed jails have left.\n",
          stderr);
    return EXIT_USAGE;
}

static int parse(int count, char **values, struct arguments *arguments) {
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "--spec") == 0 && i + 1 < count) {
            arguments->spec = values[++i];
        } else if (strcmp(values[i], "--timings") == 0) {
            arguments->timings = 1;
        } else if (strcmp(values[i], "--driven") == 0) {
            arguments->driven = 1;
        } else if (strcmp(values[i], "--reap") == 0) {
            arguments->reap = 1;
        } else if (strcmp(values[i], "--") == 0) {
            arguments->argv = values[i + 1] == NULL ? NULL : &values[i + 1];
            break;
        } else {
            return -EINVAL;
        }
    }
    return arguments->driven || arguments->reap || arguments->spec != NULL ? 0 : -EINVAL;
}

/// A pipe made later must not become a standard stream.
static int ensure_streams(void) {
    int opened;
    do {
        opened = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (opened >= 0 && opened <= STDERR_FILENO);
    if (opened < 0) return -errno;
    close(opened);
    return 0;
}

/// A driver's file must not change any more once it was checked; one that is named is the user's own affair.
static int check_seals(int file) {
    const int wanted = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int seals = fcntl(file, F_GET_SEALS);
    if (seals < 0) return -errno;
    return (seals & wanted) == wanted ? 0 : -EPERM;
}

/// Maps the spec; the mapping lives as long as the process.
static int map_spec(const struct arguments *arguments, struct sbx_spec *spec) {
    const char *path = arguments->spec != NULL ? arguments->spec : "";
    int file = arguments->driven ? SBX_SPEC_DESCRIPTOR : open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    if (file < 0 || fstat(file, &found) != 0) return -errno;
    int result = found.st_size <= 0 ? -EINVAL : 0;
    if (found.st_size > (off_t)SBX_SPEC_MAX_BYTES) result = -E2BIG;
    if (result == 0 && arguments->driven) result = check_seals(file);
    if (result == 0) {
        size_t size = (size_t)found.st_size;
        void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
        result = bytes == MAP_FAILED ? -errno : sbx_spec_decode(bytes, size, spec);
    }
    close(file);
    return result;
}

static void explain(const struct sbx_spec *spec, const struct sbx_record *ending) {
    const char *why = strerror(ending->error);
    if (ending->kind == SBX_RECORD_EXEC_FAILED) {
        const char *program = spec->argv != NULL && spec->argv[0] != NULL ? spec->argv[0] : "";
        fprintf(stderr, "drydock-jail: %s: %s\n", program, why);
    } else if (ending->kind == SBX_RECORD_FAILED) {
        fprintf(stderr, "drydock-jail: step %d, %s: %s: %s\n", ending->step, sbx_step_name(ending->step), why,
                sbx_step_hint(ending->step, ending->error));
    } else if (ending->error == ENOBUFS) {
        fputs("drydock-jail: ended: its sockets could have held more than the memory limit\n", stderr);
    }
}

static int exit_status(const struct sbx_record *ending) {
    if (ending->kind == SBX_RECORD_EXEC_FAILED) return ending->error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
    if (ending->kind != SBX_RECORD_ENDED) return EXIT_SETUP;
    return ending->signal != 0 ? EXIT_SIGNALLED + ending->signal : ending->code;
}

/// Runs it; how it went is in `ending`.
static void run(const struct arguments *arguments, const struct sbx_spec *spec, struct sbx_record *ending) {
    int control = arguments->driven ? SBX_CONTROL_DESCRIPTOR : -1;
    // Alone there is no socket whose closing tells that the caller is gone.
    int result = arguments->driven ? fcntl(control, F_SETFD, FD_CLOEXEC) : prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (result != 0) {
        ending->error = errno;
        return;
    }
    // Alone there is nobody to give them to, and the descriptor may be one of our own.
    if (spec->listener_count > 0 && (!arguments->driven || fcntl(SBX_LISTENER_DESCRIPTOR, F_SETFD, FD_CLOEXEC) != 0)) {
        ending->error = arguments->driven ? errno : ENOTSUP;
        return;
    }
    // A failure before there was a sandbox is told by `ending` as well.
    (void)sbx_jail_run(spec, &compiled_filters, control, ending);
}

int main(int count, char **values) {
    struct arguments arguments = {0};
    struct sbx_spec spec;
    struct sbx_record ending;
    sbx_spec_init(&spec);
    sbx_record_init(&ending, SBX_RECORD_FAILED);
    ending.step = SBX_STEP_PARENT_SPEC;
    if (parse(count, values, &arguments) != 0) return usage();
    if (arguments.reap) {
        sbx_cgroup_reap();
        return 0;
    }
    int result = ensure_streams();
    if (result == 0) result = map_spec(&arguments, &spec);
    ending.error = -result;
    char **own = spec.argv;
    if (arguments.argv != NULL) spec.argv = arguments.argv;
    if (arguments.timings) spec.settings.options |= SBX_OPTION_TIMINGS;
    if (result == 0) {
        run(&arguments, &spec, &ending);
    } else if (arguments.driven) {
        // A caller that is gone needs no answer; the exit status says the same.
        ssize_t ignored = write(SBX_CONTROL_DESCRIPTOR, &ending, sizeof ending);
        (void)ignored;
    }
    if (!arguments.driven) explain(&spec, &ending);
    spec.argv = own;
    sbx_spec_free(&spec);
    return exit_status(&ending);
}
