# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""For drivers of Java's build tools: versions of the language, and the repositories that this machine has itself."""

import os
import re

import drydock

# Debian's packages put what they have here, in Maven's own layout.
MACHINE = "/usr/share/maven-repo"
# The oldest release that a compiler still knows: (compiler, release).
OLDEST = ((20, 8), (12, 7), (9, 6))


def release(text):
    """`17`, `1.8`, `VERSION_1_8` as one number; None = it is none."""
    found = re.fullmatch(r"(?:JavaVersion\.)?(?:VERSION_)?(?:1[._])?(\d{1,9})", (text or "").strip())
    return int(found[1]) if found else None


def check(asked, words, file, line):
    """Fails unless the machine's compiler makes classes for the release that is asked for."""
    drydock.need("javac", "default-jdk-headless", words, file, line)
    have = drydock.version("javac", "-version")
    if have is None or asked is None:
        return
    # Before 9 it calls itself 1.8.
    major = have[1] if have[0] == 1 else have[0]
    drydock.need_version("javac", (asked,), words, (major,), "default-jdk-headless", file, line)
    oldest = next((least for compiler, least in OLDEST if major >= compiler), 1)
    if asked < oldest:
        raise drydock.Failed(
            f"the project asks for {words}, and this machine's Java {major} compiles for {oldest} and later",
            f"ask for {oldest} or later, or install an older JDK where builds run",
            file,
            line,
        )


def repository(job):
    """The repository of this machine or of the source that `with` names, as an absolute path; None = none is named."""
    said = job.options.get("repository")
    if not said:
        return None
    path = os.path.normpath(os.path.join(job.source, said))
    if not os.path.isdir(path):
        raise drydock.Failed(
            f"the parameter `repository` names {said}, which is no directory",
            "it is one of the source, or one of this machine like " + MACHINE,
        )
    return path
