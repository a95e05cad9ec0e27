// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// Becomes the jail (JAIL, its path) where groups of its name seem to have been left by another: with STARTED of exactly
// its name, which tells the time and so may be any of the next hundredths of a second, else with its number alone, as a jail
// of the same number could have left them.

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long long start(void) {
    char text[1024] = "";
    FILE *file = fopen("/proc/self/stat", "r");
    if (file == NULL || fgets(text, sizeof text, file) == NULL) return 0;
    fclose(file);
    unsigned long long value = 0;
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
    return at != NULL && sscanf(at, "%llu", &value) == 1 ? value : 0;
}

/// The file system of the groups that `list` names, "" = those of v2.
static const char *root(const char *list) {
    if (list[0] != 0 || access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) return "/sys/fs/cgroup/";
    return "/sys/fs/cgroup/unified";
}

int main(int count, char **values) {
    char line[1024];
    char list[256];
    char group[512];
    char path[1024];
    (void)count;
    FILE *groups = fopen("/proc/self/cgroup", "r");
    while (groups != NULL && fgets(line, sizeof line, groups) != NULL) {
        list[0] = 0;
        if (sscanf(line, "%*d::%511[^\n]", group) != 1) {
            if (sscanf(line, "%*d:%255[^:]:%511[^\n]", list, group) != 2) continue;
        }
        if (list[0] != 0 && strcmp(list, "memory") != 0) continue;
        char *leaf = strrchr(group, '/');
        if (leaf != NULL && strcmp(leaf, "/drydock-host") == 0) *leaf = 0;
        for (unsigned long long later = 0; later < (STARTED ? 50 : 1); later++) {
            int length = snprintf(path, sizeof path, "%s%s%s/drydock-jail-%d", root(list), list, group, getpid());
            if (STARTED) snprintf(path + length, sizeof path - (size_t)length, "-%llu", start() + later);
            mkdir(path, 0755);  // where it can not be made the jail makes none either
        }
    }
    return execv(JAIL, values);
}
