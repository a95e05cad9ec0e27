# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""What a build left behind, for drivers of native code: programs and libraries in its tree, what was installed, and
reports of tests. All of it is looked at from the driver's side, where it can be read and not run."""

import collections
import json
import os
import stat
import struct

# Made to find out what a compiler can do, or to be linked into something: nobody's result.
INNER = {"CMakeFiles", "meson-private", "meson-logs", "autom4te.cache", "node_modules", "_deps"}
# How many names a driver looks at.
MOST_FILES = 100_000
# Declared one by one at the most; the others are given out all the same.
MOST_DECLARED = 400


def files(top):
    """The ordinary files below a directory, without hidden ones, links and what only served configuring: (path, stat)."""
    seen = 0
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in INNER)
        for name in sorted(names):
            seen += 1
            if seen > MOST_FILES:
                return
            path = os.path.join(folder, name)
            try:
                # A name that is no UTF-8 can not be told to the host.
                path.encode()
                status = os.lstat(path)
            except (OSError, UnicodeEncodeError):
                continue
            if stat.S_ISREG(status.st_mode) and not name.startswith("."):
                yield os.path.relpath(path, top), status


def is_native(path, status):
    """Whether a file is a program, a shared library or an archive of objects: an object file is none of them."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    with open(descriptor, "rb") as file:
        head = file.read(18)
    if head.startswith(b"!<arch>"):
        return path.endswith(".a")
    if not head.startswith(b"\x7fELF") or len(head) < 18:
        return False
    kind = struct.unpack("<H" if head[5] == 1 else ">H", head[16:18])[0]
    return kind in (2, 3) and (status.st_mode & 0o111 != 0 or ".so" in os.path.basename(path))


class Tree:
    """What a directory holds at one moment, to tell later what was made since."""

    def __init__(self, top):
        self.top = top
        self.known = {path: (status.st_mtime_ns, status.st_size) for path, status in files(top)}

    def made(self):
        """What is new or changed since: (path, stat)."""
        for path, status in files(self.top):
            if self.known.get(path) != (status.st_mtime_ns, status.st_size):
                yield path, status

    def natives(self, below=""):
        """The programs and libraries among it, as paths relative to the directory."""
        return [
            path for path, status in self.made() if path.startswith(below) and is_native(os.path.join(self.top, path), status)
        ]


def parts(paths, pairs=False):
    """The paths in groups that fit into a record, one line of 64 KiB: JSON writes a character with six or twelve bytes."""
    group, room = [], 0
    step = 2 if pairs else 1
    for start in range(0, len(paths), step):
        entry = paths[start : start + step]
        size = sum(len(json.dumps(path)) + 2 for path in entry)
        if group and (room + size > 48 << 10 or len(group) >= 40):
            yield group
            group, room = [], 0
        group, room = group + entry, room + size
    if group:
        yield group


def give_out(job, paths, role, flat=True):
    """Copies files of the project to the outputs, and says what they are for. Of two with one name both keep their folders."""
    paths = list(paths)
    names = [os.path.basename(path) for path in paths]
    times = collections.Counter(names)
    single = {path for path, name in zip(paths, names) if flat and times[name] == 1}
    for options, group in (
        (["-t"], [p for p in paths if p in single]),
        (["--parents", "-t"], [p for p in paths if p not in single]),
    ):
        for part in parts(group):
            job.must("cp", "-p", *options, job.out, "--", *part)
    for path in paths[:MOST_DECLARED]:
        job.artifact(os.path.basename(path) if path in single else path, role)


def mend_links(job):
    """Makes links of an installed tree lead to its own files: they were made for `/`. What leads elsewhere is removed."""
    moved, lost = [], []
    for folder, folders, names in os.walk(job.out):
        for path in (os.path.join(folder, name) for name in sorted(folders + names)):
            target = os.readlink(path) if os.path.islink(path) else ""
            if not target.startswith("/"):
                continue
            inside = target if target.startswith(job.out + "/") else job.out + target
            if os.path.lexists(inside):
                moved += [os.path.relpath(inside, folder), path]
            else:
                lost.append(path)
    for part in parts(moved, pairs=True):
        job.shell('while [ $# -gt 1 ]; do ln -sfn -- "$1" "$2"; shift 2; done', *part)
    for part in parts(lost):
        job.must("rm", "-f", "--", *part)


def declare_installed(job):
    """Says what an installed tree is: its programs are `binary`. Returns how many files there are in it."""
    mend_links(job)
    count = 0
    declared = 0
    for path, status in files(job.out):
        # Reports of tests are there before.
        if path.startswith("reports/"):
            continue
        count += 1
        # In a folder of programs a script is one as well.
        is_program = os.path.basename(os.path.dirname(path)) in ("bin", "sbin", "games") and status.st_mode & 0o111
        if declared < MOST_DECLARED and (is_program or is_native(os.path.join(job.out, path), status)):
            job.artifact(path, "binary")
            declared += 1
    return count


def give_out_reports(job, paths):
    """Copies reports of tests (JUnit's XML) to `reports`."""
    paths = [path for path in paths][:MOST_DECLARED]
    if paths:
        job.must("mkdir", "-p", os.path.join(job.out, "reports"))
        for part in parts(paths):
            job.must("cp", "-p", "-t", os.path.join(job.out, "reports"), "--", *part)
        job.artifact("reports", "report")


def sources(project, *suffixes, most=4_000):
    """The first file with one of these endings, not deeper than three folders; None = there is none."""
    for count, (path, _) in enumerate(files(project.source)):
        if count > most:
            return None
        if path.endswith(suffixes) and path.count("/") <= 3:
            return path
    return None
