"""What go.mod, go.work and the sources of a project say."""

import os
import re

import results


class Module:
    def __init__(self, project):
        self.project = project
        self.file = next((name for name in ("go.mod", "go.work") if project.read(name) is not None), None)
        self.text = re.sub(r"//.*", "", project.read(self.file) or "") if self.file else ""
        found = re.search(r"(?m)^[ \t]*module\s+\"?([^\s\"]+)", self.text)
        self.name = found[1] if found else None
        # `toolchain` only says what go would download; here it is the machine's.
        found = re.search(r"(?m)^[ \t]*go\s+(\d[\w.]*)\s*$", self.text)
        self.version = found[1] if found else None
        self.line = self.text.count("\n", 0, found.start(1)) + 1 if found else None
        self.is_vendored = os.path.isfile(project.path("vendor", "modules.txt"))

    def members(self):
        """The folders of the modules: those that go.work uses, or the top."""
        work = re.sub(r"//.*", "", self.project.read("go.work") or "")
        blocks = re.findall(r"(?ms)^[ \t]*use\s*\(([^()]*)\)", work)
        words = " ".join(blocks).split() + re.findall(r"(?m)^[ \t]*use\s+([^\s(]+)\s*$", work)
        return list(dict.fromkeys(os.path.normpath(word.strip('"')) for word in words if ".." not in word))[:300] or ["."]

    def patterns(self):
        """Everything of all modules, as go's own patterns."""
        return [folder.rstrip("/") + "/..." for folder in self.members()]

    def downloads(self):
        """The modules that have to be downloaded; [] = the source is complete."""
        if self.is_vendored:
            return []
        asked, replaced = set(), set()
        for folder in self.members():
            text = re.sub(r"//.*", "", self.project.read(os.path.normpath(os.path.join(folder, "go.mod"))) or "")
            asked.update(entries(text, "require"))
            # With a directory in its place it is there.
            replaced.update(re.findall(r"(?m)^[ \t]*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+\.{0,2}/", text))
        return sorted(asked - replaced)


def entries(text, word):
    """The modules of `require x v1` and of `require ( … )`."""
    blocks = re.findall(rf"(?ms)^[ \t]*{word}\s*\(([^()]*)\)", text)
    lines = "\n".join(blocks).splitlines() + re.findall(rf"(?m)^[ \t]*{word}\s+([^\s(].*)$", text)
    return [line.split()[0].strip('"') for line in lines if line.split()]


# Go files that are looked at.
MOST_FILES = 4_000
# Endings of file names that are for one system, or one that is not this.
OTHERS = re.compile(
    r"_(windows|darwin|freebsd|openbsd|netbsd|solaris|plan9|js|wasm|android|ios|aix|dragonfly|illumos|386|arm|arm64)(_\w+)?\.go$"
)


def code(project):
    """The Go files that a build takes, as paths and texts."""
    names = [path for path, _ in results.files(project.source)]
    members = {os.path.normpath(folder) for folder in Module(project).members()}
    # A module within is another project, unless go.work says otherwise.
    others = tuple(
        os.path.dirname(path) + "/" for path in names if path.endswith("/go.mod") and os.path.dirname(path) not in members
    )
    for path in [path for path in names if path.endswith(".go")][:MOST_FILES]:
        folders = path.split("/")[:-1]
        if not path.endswith(".go") or path.endswith("_test.go") or path.startswith(others) or OTHERS.search(path):
            continue
        if not {"vendor", "testdata"} & set(folders) and not any(folder.startswith("_") for folder in folders):
            yield path, project.read(path) or ""


def has_programs(project):
    """Whether a package is surely a program: files with build constraints may not count."""
    return any(
        re.search(r"(?m)^package main\b", text) and "//go:build" not in text and "// +build" not in text
        for _, text in code(project)
    )


def calling_c(project):
    """A file that calls C and is always built."""
    for path, text in code(project):
        if re.search(r'(?m)^import\s+"C"', text) and "//go:build" not in text:
            return path
    return None
