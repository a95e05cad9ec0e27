# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Sites of documentation and of pages: mkdocs, Sphinx, Pelican."""

import os
import re

import drydock
import kinds
import requirements

FILES = ("docs/requirements.txt", "doc/requirements.txt", "docs/requirements.in", "requirements-docs.txt", "requirements_docs.txt", "requirements/docs.txt",
         "docs-requirements.txt", "docs/source/requirements.txt")
# Packages that a setting names in another way; used only where the project says nothing of what it requires.
THEMES = {"material": "mkdocs-material", "readthedocs": None, "mkdocs": None, "alabaster": None, "classic": None, "sphinxdoc": None, "default": None}
PLUGINS = {
    "awesome-pages": "mkdocs-awesome-pages-plugin", "mkdocstrings": "mkdocstrings[python]", "macros": "mkdocs-macros-plugin",
    "minify": "mkdocs-minify-plugin", "redirects": "mkdocs-redirects", "gen-files": "mkdocs-gen-files", "section-index": "mkdocs-section-index",
    "literate-nav": "mkdocs-literate-nav", "git-revision-date-localized": "mkdocs-git-revision-date-localized-plugin", "rss": "mkdocs-rss-plugin",
    "glightbox": "mkdocs-glightbox", "include-markdown": "mkdocs-include-markdown-plugin", "autorefs": "mkdocs-autorefs", "social": "mkdocs-material[imaging]",
}


class Tool:
    """What builds the site: its package, what else its settings name, and its command."""

    def __init__(self, name, configuration, guessed, command):
        self.name, self.configuration, self.guessed, self.command = name, configuration, guessed, command


def tool(project):
    out = os.path.join(project.out, "site")
    if file := project.has(*kinds.MKDOCS):
        return Tool("mkdocs", file, mkdocs(project.read(file) or ""), ["python", "-m", "mkdocs", "build", "-q", "-f", file, "-d", out])
    if file := project.has("pelicanconf.py"):
        content = re.search(r"^PATH\s*=\s*['\"]([^'\"]+)", project.read(file) or "", re.M)
        source = content[1] if content else "content"
        guessed = ["pelican[markdown]"]
        return Tool("pelican", file, guessed, ["python", "-m", "pelican", source, "-o", out, "-s", file, "--fatal", "errors"])
    if file := kinds.sphinx(project):
        folder = os.path.dirname(file) or "."
        return Tool("sphinx", file, sphinx(project.read(file) or ""), ["python", "-m", "sphinx", "-b", "html", "-d", "/tmp/doctrees", folder, out])
    raise drydock.Failed("there is no mkdocs.yml, conf.py of Sphinx or pelicanconf.py", "build without with: { site: true }")


def mkdocs(text):
    """mkdocs.yml is read by eye: its tags (`!!python/name`) are no plain YAML, and Python brings no reader of it."""
    theme = re.search(r"^theme:[ \t]*['\"]?([\w-]+)", text, re.M)
    theme = theme or re.search(r"^theme:[ \t]*\n(?:(?:[ \t].*)?\n)*?[ \t]+name:[ \t]*['\"]?([\w-]+)", text, re.M)
    found = ["mkdocs"]
    if theme:
        found.append(THEMES.get(theme[1], f"mkdocs-{theme[1]}"))
    section = re.search(r"^plugins:\s*\n((?:[ \t-].*\n|\s*\n)*)", text + "\n", re.M)
    found += [PLUGINS.get(name) for name in re.findall(r"^[ \t]*-\s*['\"]?([\w-]+)", section[1], re.M)] if section else []
    return sorted(set(filter(None, found)))


def sphinx(text):
    listed = re.search(r"^extensions\s*=\s*\[(.*?)\]", text, re.M | re.S)
    names = re.findall(r"['\"]([\w.]+)['\"]", re.sub(r"#.*", "", listed[1])) if listed else []
    theme = re.search(r"^html_theme\s*=\s*['\"](\w+)", text, re.M)
    found = {"sphinx"}
    for name in names + ([theme[1]] if theme else []):
        top = name.split(".")[0]
        if name.startswith("sphinx.ext") or name in THEMES or top in ("sphinx",):
            continue
        if top == "sphinxcontrib":
            found.add("-".join(name.split(".")[:2]))
        elif re.match(r"(sphinx_|myst_|furo|pydata_sphinx|numpydoc|nbsphinx|.*_sphinx_theme)", top):
            found.add(top.replace("_", "-"))
    return sorted(found)


def wanted(project, chosen):
    """What to install: what the project says, and the tool where that does not have it."""
    said = requirements.files(project, *FILES) + requirements.group(project, requirements.DOCS)
    extra = requirements.extra(project, requirements.DOCS)
    package = kinds.package(project)
    if package and extra:
        said.append(f".[{extra}]")
    elif package:
        # Documentation that is made from the code imports it.
        said.append(".")
    if not package:
        said += requirements.locked(project) or requirements.declared(project) or requirements.pipfile(project)
    told = [item for item in said if item != "."]
    return said + ([chosen.guessed[0] if chosen.name == "pelican" else chosen.name] if told else chosen.guessed)


def plan(project):
    chosen = tool(project)
    if chosen.name == "mkdocs":
        folder = re.search(r"^docs_dir:\s*['\"]?([^'\"#\n]+)", project.read(chosen.configuration) or "", re.M)
        name = folder[1].strip() if folder else "docs"
        if not os.path.isdir(project.path(name)):
            raise drydock.Failed(
                f"{chosen.configuration} has its pages in {name}, which is not there", "add the directory, or name another with docs_dir",
                chosen.configuration, project.line(chosen.configuration, "docs_dir"),
            )
    if chosen.name == "pelican" and not os.path.isdir(project.path(chosen.command[3])):
        raise drydock.Failed(f"pelican's content is in {chosen.command[3]}, which is not there", "add it, or name another with PATH", chosen.configuration)
    return {"network": ["preset:pip"], "outputs": ["site/**"]}


def run(job, environment):
    chosen = tool(job)
    job.stage("install-site", "Install what the site requires")
    environment.pip("site", *wanted(job, chosen))
    job.stage("site", f"Build the site with {chosen.name}")
    ended = environment.run("site", *chosen.command)
    if ended["exit"] != 0:
        raise failure(chosen, "\n".join(ended["tail"]))
    if job.run("test", "-f", f"{job.out}/site/index.html")["exit"] != 0:
        raise drydock.Failed(f"{chosen.name} made no index.html: the site has no first page", "add index.md (or index.rst) to the pages")
    job.artifact("site", "site")
    job.preview("site")


def failure(chosen, text):
    for pattern, what in (
        (r"Could not import extension ([\w.]+)", "the extension"), (r"no theme named '([\w-]+)'", "the theme"),
        (r"Unrecognised theme name: '([\w-]+)'", "the theme"), (r"[Tt]he \"([\w/.-]+)\" plugin is not installed", "the plugin"),
        (r"No module named '?([\w.]+)", "the module"),
    ):
        if found := re.search(pattern, text):
            return drydock.Failed(
                f"{chosen.name} needs {what} {found[1]}, which is not installed",
                f"add the package that has it to {'requirements.txt' if chosen.name != 'sphinx' else 'docs/requirements.txt'}",
                chosen.configuration,
            )
    return drydock.Failed()
