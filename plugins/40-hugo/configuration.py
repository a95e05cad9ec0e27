"""What the configuration of a Hugo site says."""

import os
import re
import subprocess
from urllib.parse import urlsplit

import drydock

NAMES = ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config.toml", "config.yaml", "config.yml", "config.json")
FOLDERS = ("content", "layouts", "themes", "archetypes")
BASE = re.compile(r"(?im)^[ \t]*[\"']?baseURL[\"']?\s*[=:]\s*[\"']?([^\"'\s,]*)")


def address(text):
    """The parts of an address; none of what is no address, like `http://[`."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


class Site:
    def __init__(self, project):
        self.project = project
        candidates = [prefix + name for prefix in ("", "config/_default/") for name in NAMES]
        found = [name for name in candidates if project.read(name) is not None]
        # Another tool's config.toml says nothing about an address.
        self.file = next((name for name in found if BASE.search(project.read(name))), found[0] if found else None)
        self.text = project.read(self.file) or "" if self.file else ""
        base = BASE.search(self.text)
        self.base = base[1] if base else ""
        self.base_line = self.text.count("\n", 0, base.start(1)) + 1 if base else None
        self.folders = [name for name in FOLDERS if os.path.isdir(project.path(name))]
        self.is_vendored = os.path.isfile(project.path("_vendor", "modules.txt"))

    @property
    def is_placeholder(self):
        """An address that nobody lives at: links to it would lead nowhere."""
        host = address(self.base if "//" in self.base else "//" + self.base).hostname or ""
        return not host or host.removeprefix("www.") in (
            "example.org",
            "example.com",
            "example.net",
            "localhost",
            "replace-this-with-your-hugo-site.com",
        )

    @property
    def path_of_base(self):
        return address(self.base).path.rstrip("/")

    def settings(self):
        """The configuration where it can be read without guessing, else {}."""
        if not self.file:
            return {}
        if self.file.endswith(".toml"):
            value = self.project.toml(self.file)
        elif self.file.endswith(".json"):
            value = self.project.json(self.file)
        else:
            value = {}
        return {key.lower(): entry for key, entry in value.items()}

    def themes(self):
        """The names of the themes, in any notation."""
        said = self.settings().get("theme")
        if said is None:
            found = re.search(r"(?im)^[ \t]*theme[ \t]*[=:][ \t]*(\S.*)$", self.text)
            said = re.findall(r"[\w./-]+", found[1].partition("#")[0]) if found else []
            if found is None:
                listed = re.search(r"(?im)^theme[ \t]*:[ \t]*\n((?:[ \t]*-[ \t]*\S.*\n?)+)", self.text)
                said = re.findall(r"-\s*[\"']?([\w./-]+)", listed[1]) if listed else []
        said = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        return list(dict.fromkeys(name for name in said if isinstance(name, str)))[:20]

    def modules(self):
        """The modules that Hugo would have go download."""
        found = re.findall(
            r"(?m)^[ \t]*(?:-[ \t]*)?path\s*[=:]\s*[\"']?((?:github\.com|gitlab\.com|[\w-]+\.[\w.-]+)/[\w./-]+)", self.text
        )
        return found + [name for name in self.themes() if re.match(r"[\w-]+\.[\w.-]+/", name)]

    def check_themes(self):
        """A theme that is named has to be there: hugo builds without one, and makes next to nothing."""
        for name in self.themes():
            if (
                re.match(r"[\w-]+\.[\w.-]+/", name)
                or os.path.isdir(self.project.path("themes", name))
                and os.listdir(self.project.path("themes", name))
            ):
                continue
            is_submodule = name in (self.project.read(".gitmodules") or "")
            raise drydock.Failed(
                f"the theme {name} is not in themes/{name}",
                (
                    "it is a submodule of git: fetch it (`git submodule update --init`) before the source is handed over"
                    if is_submodule
                    else "put it there, or make it a module of Hugo's (`hugo mod vendor`)"
                ),
                self.file,
                self.project.line(self.file, name),
            )

    def versions(self):
        """What the site and its themes ask for: (version, words, file, line)."""
        own = r"(?is)hugoVersion\b.{0,120}?\bmin\s*[=:]\s*[\"']?(\d[\d.]*)"
        places = [(self.file, own)]
        for theme in self.themes():
            places.append((f"themes/{theme}/theme.toml", r"(?i)\bmin_version\s*=\s*[\"']?(\d[\d.]*)"))
            places += [(f"themes/{theme}/{name}", own) for name in ("hugo.toml", "hugo.yaml", "config.toml")]
        for file, pattern in places:
            text = self.project.read(file) or ""
            found = re.search(pattern, text)
            if found:
                yield drydock.numbers(found[1]), f"Hugo {found[1]} ({file})", file, text.count("\n", 0, found.start(1)) + 1

    def needs_extended(self):
        """The file and line that ask for it."""
        for file in [self.file] + [f"themes/{theme}/{name}" for theme in self.themes() for name in ("hugo.toml", "config.toml")]:
            text = self.project.read(file) or ""
            found = re.search(r"(?is)hugoVersion\b.{0,120}?\bextended\s*[=:]\s*true", text)
            if found:
                return file, text.count("\n", 0, found.end()) + 1
        return None


def is_extended():
    try:
        return "extended" in subprocess.run(["hugo", "version"], capture_output=True, text=True, timeout=15, cwd="/").stdout
    except (OSError, subprocess.TimeoutExpired):
        return True
