# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""docs/projects.md: what became of each project, as a table. Standard library only."""

import collections
import pathlib
import re
import tempfile

from one_build import of_kind, records

TOOLS = {
    "GCC": "gcc -dumpfullversion", "make": "make --version", "autoconf": "autoconf --version", "CMake": "cmake --version",
    "Meson": "meson --version", "Swift": "swift --version", "Rust": "rustc --version", "Go": "go version", "OpenJDK": "javac -version",
    "Maven": "mvn --version", "Python": "python3 --version", "pip": "python3 -m pip --version", "Node": "node --version",
    "Hugo": "hugo version", "Jekyll": "jekyll --version"}
LONGEST = 320
COLUMNS = ("project", "plugin", "outcome", "artifacts", "seconds")

PREFACE = """# Real projects

What became of {count} projects of other people, built by `drydock build` one after the other. Written by `make real-projects`; change
`Tests/RealProjects/projects.json`, not this page.

{totals}. A project was built as it came, without a `drydock.yaml` and without a network, unless its row says so (*with …*). A failure is the
project's answer on this machine, with what Drydock says of it and advises: not a defect to be hidden. Each had {limit} minutes.

Where they come from: *(D)* upstream's archive in Debian's source package, *(P)* the source archive on PyPI, *(R)* the project's repository. The machine: {machine};
others used it as well, so the seconds are an upper bound.
"""


def machine(drydock):
    """Debian's version and those of the tools that are there, as a build sees them."""
    lines = "".join(f"        echo \"{name}: $({command} 2>&1 | tr '\\n' ' ')\"\n" for name, command in TOOLS.items())
    with tempfile.TemporaryDirectory() as project:
        pathlib.Path(project, "drydock.yaml").write_text(f"version: 1\nsteps:\n  - plugin: script\n    with:\n      run: |\n{lines}")
        journal = records([*drydock, "--output", "json", project])[0]
    said = dict(record["text"].split(": ", 1) for record in of_kind(journal, "log") if ": " in record["text"])
    versions = {name: re.search(r"(?:^|[^\w.]|go)v?(\d+(?:\.\d+)+)", said.get(name, "")) for name in TOOLS}
    return ", ".join([f"Debian {open('/etc/debian_version').read().strip()}",
                      *(f"{name} {found.group(1)}" for name, found in versions.items() if found)])


def cell(text):
    """A build's words in a cell: no table, no markup but paired backticks, no line of its own; clipped."""
    text = " ".join(str(text).split())
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " …"
    if text.count("`") % 2:
        text = text.replace("`", "'")
    # Between backticks everything but a bar stands as it is.
    parts = [part if index % 2 else re.sub(r"([\\<>*_\[\]])", r"\\\1", part) for index, part in enumerate(text.split("`"))]
    return "`".join(parts).replace("|", "\\|")


def origin(project):
    return "D" if "debian" in project else "P" if "pypi" in project else "R"


def title(result):
    words = f"{cell(result['name'])} {cell(result['version'])} ({origin(result)})".replace("  ", " ")
    if result.get("directory"):
        words += f", its `{result['directory']}`"
    if result.get("with"):
        words += f", *with {result['with']}*"
    return words


def outcome(result):
    failure = result.get("failure")
    if not failure:
        return "succeeded" + "".join(f"; {cell(notice)}" for notice in result.get("notices", []))
    refused = result["outcome"] in ("failed", "errored") and not result["ran"]
    place = f"{failure['file']}:{failure.get('line', '')}".rstrip(":") + ": " if "file" in failure else ""
    if place and failure["message"].startswith(failure["file"]):
        place = ""
    words = f"**{'refused before the first step' if refused else result['outcome']}**: {cell(place + failure['message'])}"
    return words + (f". Remedy: {cell(failure['hint'])}" if failure.get("hint") else "")


def artifacts(result):
    """How many, and those that a user would look for first."""
    paths = sorted(result["artifacts"], key=rank)
    if not paths:
        return "none"
    if all(path.startswith("site/") for path in paths):
        return f"{len(paths)}: `site/`"
    return f"{len(paths)}: " + ", ".join(f"`{path}`" for path in paths[:3]) + (", …" if len(paths) > 3 else "")


def rank(path):
    """Programs, packages and libraries before what belongs to them."""
    order = (r"(^|/)s?bin/", r"\.(whl|tgz|crate|tar\.gz)$", r"\.(so[.\d]*|a)$", r"\.h(pp)?$")
    return next((place for place, pattern in enumerate(order) if re.search(pattern, path)), len(order))


def totals(results):
    counted = collections.Counter(result["outcome"] for result in results)
    return ", ".join(f"{count} {name}" for name, count in counted.most_common()).capitalize()


def page(results, limit, drydock):
    results = [result for result in results if result["outcome"] != "not fetched"]
    lines = [PREFACE.format(count=len(results), totals=totals(results), limit=limit // 60, machine=machine(drydock))]
    lines += ["| " + " | ".join(COLUMNS) + " |", "| --- | --- | --- | --- | ---: |"]
    for result in results:
        seconds = f"{result['seconds']:.0f}" if result["seconds"] >= 2 else f"{result['seconds']:.1f}"
        plugin = ", ".join(result["plugins"]) or "none"
        if result.get("plugin") and result["plugin"] not in result["plugins"]:
            plugin += f" ({result['plugin']} was expected)" if result["plugins"] else ""
        lines.append(f"| {title(result)} | {plugin} | {outcome(result)} | {artifacts(result)} | {seconds} |")
    return "\n".join(lines) + "\n"
