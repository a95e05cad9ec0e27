"""What a makefile says without being run: its targets, and where `install` can be told to install."""

import fnmatch
import os
import re

import drydock

# In the order that make looks for them.
NAMES = ("GNUmakefile", "makefile", "Makefile")
HELP = {"help", "usage", "info", "default-help", "list", "print-help"}
CHORES = HELP | {
    "test",
    "tests",
    "check",
    "lint",
    "format",
    "fmt",
    "clean",
    "distclean",
    "docs",
    "doc",
    "html",
    "tags",
    "coverage",
    "release",
    "publish",
    "deploy",
    "install-dev",
    "dev",
    "venv",
    "setup",
    "deps",
    "bump",
    "tag",
    "typecheck",
    "pre-commit",
    "ci",
    "run",
    "serve",
    "watch",
    "black",
    "isort",
    "mypy",
    "flake8",
    "pylint",
    "ruff",
    "upload",
    "up",
    "down",
    "logs",
    "shell",
    "vet",
    "bench",
}
# What lies about after a make, and was made for the next step or for make itself.
BETWEEN = (
    "*.o",
    "*.lo",
    "*.la",
    "*.d",
    "*.P",
    "*.Po",
    "*.Plo",
    "*.gch",
    "*.pch",
    "*.log",
    "*.tmp",
    "*.pyc",
    "*.stamp",
    "*-stamp",
    "stamp-*",
    "config.status",
    "config.h",
    "config.cache",
    "config.mk",
    "config.mak",
    "Makefile",
    "libtool",
    "*.dep",
    "*.depend",
    "*.dirstamp",
)
# Space before the colon belongs to the names: a second repeat for it would try every place to part them.
RULE = re.compile(r"^([A-Za-z0-9_][A-Za-z0-9_./ \t-]*)(?:::?(?![:=])|&:)")
PLACES = ("DESTDIR", "PREFIX", "prefix", "INSTALL_TOP")


def is_chore(target):
    return target in CHORES or target.split("-")[0] in CHORES


def is_result(path):
    """Whether a new file may be what somebody wanted."""
    name = os.path.basename(path)
    return not any(fnmatch.fnmatchcase(name, glob) for glob in BETWEEN)


class Makefile:
    def __init__(self, name, text):
        self.name = name
        self.text = text
        self.targets = []
        self.places = {}
        for number, line in enumerate(text.splitlines(), 1):
            # Longer ones are no rules that anybody wrote.
            found = RULE.match(line) if len(line) < 2_000 else None
            for target in found[1].split() if found else []:
                if target not in self.places and "=" not in target:
                    self.targets.append(target)
                    self.places[target] = number
        said = re.search(r"^[ \t]*\.DEFAULT_GOAL\s*[:?]?=\s*([\w.-]+)", text, re.MULTILINE)
        # A variable may be the name of the first one: then nothing is known.
        hidden = re.search(r"^[$(]\S*\s*:(?!=)", text, re.MULTILINE)
        self.first = said[1] if said else (self.targets[0] if self.targets else None)
        self.is_sure = not hidden and not re.search(r"^[ \t]*-?s?include\b", text, re.MULTILINE)
        self.line = self.places.get(self.first)

    @property
    def only_papers(self):
        return "sphinx-build" in self.text.lower() or "SPHINXBUILD" in self.text

    @property
    def only_chores(self):
        return self.is_sure and bool(self.targets) and all(is_chore(target) for target in self.targets)

    def goal(self):
        """What to make where nobody says: [] = the makefile's own first target, unless that only explains."""
        if self.first not in HELP:
            return []
        for name in ("all", "build", "compile"):
            if name in self.targets:
                return [name]
        if not self.is_sure or "install" in self.targets:
            return []
        raise drydock.Failed(
            f"make would do nothing: its first target is `{self.first}`",
            "name one: with: { targets: … } (there are: " + ", ".join(self.targets[:12]) + ")",
            self.name,
            self.line,
        )


def read(project):
    """The makefile that make would take, as the project lies there now."""
    for name in NAMES:
        text = project.read(name)
        if text is not None:
            return Makefile(name, text)
    return None


def destination(project):
    """The variable that tells `make install` where: DESTDIR, else a prefix. None = it can not be told."""
    text = "\n".join(project.read(name) or "" for name in everywhere(project))
    if "DESTDIR" in text:
        return "DESTDIR"
    for name in PLACES[1:]:
        if re.search(rf"^[ \t]*{name}\s*[:?]?=", text, re.MULTILINE):
            return name
    return None


def everywhere(project, most=200):
    """The makefiles of the project, from the top down: one leads on to others."""
    found = list(NAMES)
    for folder, folders, names in os.walk(project.source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        place = os.path.relpath(folder, project.source)
        if place != "." and place.count("/") < 2:
            found += [f"{place}/{name}" for name in sorted(names) if name in NAMES or name.endswith(".mk")]
        if len(found) > most or place.count("/") >= 2:
            folders.clear()
    return found[:most]
