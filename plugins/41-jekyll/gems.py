"""The gems that a Jekyll site uses, and whether this machine has them."""

import os
import re
import subprocess
from typing import NamedTuple

import drydock

# Debian's packages that are not named ruby-GEM.
DEBIAN = {"minima": "jekyll-theme-minima", "jekyll": "jekyll"}


class Asked(NamedTuple):
    words: str
    version: tuple | None
    line: int
    group: str


def of_gemfile(project):
    """What the Gemfile names, by name. It is a program: only its plain lines are read."""
    found, group = {}, ""
    for number, line in enumerate((project.read("Gemfile") or "").splitlines(), 1):
        opened = re.match(r"\s*group\s+:?[\"']?(\w+)", line)
        group = opened[1] if opened else "" if re.match(r"end\b", line) else group
        named = re.match(r"\s*gem\s*(?:\(\s*)?[\"']([\w.-]+)[\"']\s*(?:,\s*[\"']([^\"']+)[\"'])?", line)
        # Those for other systems are none of ours.
        if named and "platform" not in line and group not in ("test", "development"):
            words = named[2] or ""
            # `< 5` is no lower bound.
            found[named[1]] = Asked(words, None if words.startswith(("<", "!")) else drydock.numbers(words), number, group)
    if re.search(r"(?m)^[ \t]*gemspec\b", project.read("Gemfile") or ""):
        found = of_gemspec(project) | found
    return found


def of_gemspec(project):
    """A theme's own source: it is shown with the gems that sites will load with it."""
    name = project.has("*.gemspec")
    asked = re.findall(r"add(?:_runtime)?_dependency[( ]\s*[\"']([\w.-]+)[\"']", project.read(name) or "") if name else []
    return {gem: Asked("", None, 0, "jekyll_plugins" if gem.startswith("jekyll-") else "") for gem in asked}


def of_group(project):
    """Gems of the group that Jekyll loads by itself."""
    return [name for name, asked in of_gemfile(project).items() if asked.group == "jekyll_plugins" and name != "github-pages"]


def ruby_of(project):
    """The Ruby that the Gemfile asks for."""
    for number, line in enumerate((project.read("Gemfile") or "").splitlines(), 1):
        found = re.match(r"\s*ruby\s*(?:\(\s*)?[\"']([^\"'<]+)[\"']", line)
        if found and drydock.numbers(found[1]):
            return Asked(found[1], drydock.numbers(found[1]), number, "")
    return None


def setting(project, file, key):
    """A text of the configuration's top level."""
    found = re.search(rf"(?m)^{key}\s*[:=][ \t]*[\"']?([^\"'\s#]+)", project.read(file) or "")
    return found[1] if found else None


def plugins(project, file):
    """The list `plugins` (or `gems`) of the configuration, in both notations."""
    text = project.read(file) or ""
    inline = re.search(r"(?m)^(?:plugins|gems)\s*[:=]\s*\[([^\]]*)\]", text)
    if inline:
        return re.findall(r"[\w.-]+", inline[1])
    block = re.search(r"(?m)^(?:plugins|gems)\s*:[ \t]*(?:#.*)?\n((?:[ \t]*(?:-[ \t]*\S.*|#.*)?\n?)+)", text)
    return re.findall(r"(?m)^[ \t]*-[ \t]*[\"']?([\w.-]+)", block[1]) if block else []


def check(project, file):
    """Fails for the first gem that is not there."""
    remote = setting(project, file, "remote_theme")
    if remote:
        raise drydock.Failed(
            f"the theme {remote} would be downloaded while the site is built",
            "put it into the source, or name an installed one with `theme`",
            file,
            project.line(file, "remote_theme"),
        )
    wanted = [(name, file) for name in plugins(project, file)] + [(name, "Gemfile") for name in of_group(project)]
    theme = setting(project, file, "theme")
    if theme and theme not in ("null", "~"):
        wanted.append((theme, file))
    # As many as arguments can be handed on.
    wanted = wanted[:500]
    missing = absent([name for name, _ in wanted])
    for name, place in wanted:
        # A plugin may be a file of the project.
        if name in missing and not os.path.exists(project.path("_plugins", name + ".rb")):
            raise drydock.Failed(
                f"the gem {name} is needed and not installed on this machine",
                f"install it where builds run (Debian: apt install {DEBIAN.get(name, 'ruby-' + name)}), or leave it out",
                place,
                project.line(place, name),
                fault="platform",
            )


def absent(names):
    """Those that Ruby does not find."""
    if not names:
        return set()
    question = "ARGV.each { |n| begin; Gem::Specification.find_by_name(n); rescue Gem::LoadError; puts n; end }"
    try:
        said = subprocess.run(
            ["ruby", "-e", question, "--", *names], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=15, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return set()
    return set(said.stdout.split()) if said.returncode == 0 else set()
