# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Which python3 builds the project, by what it asks for."""

import functools
import re
import shutil
import subprocess

import drydock
import specifiers
from tables import table

# Others of the machine, the newest first, for what its python3 is not allowed for.
OTHERS = tuple(f"python3.{minor}" for minor in range(20, 6, -1))


def asked(project):
    """(text, file, line) of the Python that the project asks for; None = any."""
    pyproject = project.toml("pyproject.toml")
    for text, key in (
        (table(pyproject, "project").get("requires-python"), "requires-python"),
        (table(pyproject, "tool", "poetry", "dependencies").get("python"), "python"),
        (table(pyproject, "tool", "flit", "metadata").get("requires-python"), "requires-python"),
    ):
        if isinstance(text, str):
            return text, "pyproject.toml", project.line("pyproject.toml", text) or project.line("pyproject.toml", key)
    for file in ("setup.cfg", "setup.py"):
        found = re.search(r"^[^#\n]*python_requires\s*=\s*['\"]?([^'\"\n]*)", project.read(file) or "", re.M)
        # A text that the program puts together is not looked into.
        if found and re.match(r"[\s<>=!~]*\d", found[1]):
            return found[1].strip(), file, project.line(file, "python_requires")
    return None


@functools.cache
def has_pip():
    asked = subprocess.run(["python3", "-m", "pip", "--version"], cwd="/", capture_output=True, stdin=subprocess.DEVNULL)
    return asked.returncode == 0


def choose(project):
    """The command of the Python to build with; a project that allows none of the machine's fails here."""
    drydock.need("python3")
    wish = asked(project)
    if wish is None:
        return "python3"
    text, file, line = wish
    have = drydock.version("python3")
    if have is None or specifiers.allows(text, have):
        return "python3"
    for command in filter(shutil.which, OTHERS):
        if specifiers.allows(text, drydock.version(command) or ()):
            return command
    raise drydock.Failed(
        f"the project asks for Python {text}, and this machine has {'.'.join(map(str, have))}",
        "install such a Python where builds run, as python3 or python3.N on the PATH, or change what the project asks for",
        file, line, fault="platform",
    )
