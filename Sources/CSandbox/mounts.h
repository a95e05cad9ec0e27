// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
#ifndef SBX_MOUNTS_INTERNAL_H
#define SBX_MOUNTS_INTERNAL_H

#include <stdint.h>
#include <sys/types.h>

/// Clones the tree at `path` of the host, detached, private and with mount attributes added; never a symbolic link.
int sbx_mount_clone(int directory, const char *path, uint64_t attributes, int *tree);
/// Makes a file system of `type` with `options` ("key", "value", …, NULL), detached.
int sbx_mount_make(const char *type, const char *const *options, uint64_t attributes, int *tree);
/// Attaches a detached tree to `path` below `root`; makes what is missing of it, at the end a directory or a file.
int sbx_mount_attach(int tree, int directory, int root, const char *path);
/// Opens `path` below `root` without following any link or leaving it.
int sbx_open_beneath(int root, const char *path, uint64_t flags, mode_t mode, int *descriptor);
/// Makes the directory `path` below `root`, with parents; what is there stays.
int sbx_make_directory(int root, const char *path, mode_t mode);
/// Makes the parents of `path`, then a file with `content`.
int sbx_make_file(int root, const char *path, const char *content);
/// Makes the parents of `path`, then a symbolic link.
int sbx_make_link(int root, const char *path, const char *content);

#endif
