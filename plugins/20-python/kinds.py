# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""What a project is. What it says of itself beats what lies about: `configure.py` makes no package, nor does a
pyproject.toml that only sets up a formatter."""

import re
from typing import NamedTuple

from tables import table

# A node project with a build script has 85: a Python package with a frontend's package.json beside it is told by its own
# plugin's score being lower, since the page is what people look at; `drydock.yaml` decides otherwise.
PACKAGE, SITE, APPLICATION, SCRIPTS = 84, 80, 60, 20
# Below what builds native code: a site beside that is its documentation.
DOCUMENTATION = 45

MKDOCS = ("mkdocs.yml", "mkdocs.yaml")
SPHINX = ("conf.py", "docs/conf.py", "doc/conf.py", "docs/source/conf.py", "doc/source/conf.py", "source/conf.py")
NATIVE = ("CMakeLists.txt", "meson.build", "configure.ac", "configure.in", "configure")
REQUIREMENTS = ("requirements.txt", "Pipfile", "uv.lock", "poetry.lock", "pdm.lock")
# Scripts that belong to a build or to tools, and are no application.
HELPERS = re.compile(r"^(setup|conf|conftest|configure|noxfile|fabfile|tasks|wscript|versioneer|pelicanconf|publishconf|test_.*)\.py$")


class Kind(NamedTuple):
    name: str
    score: int
    why: str


def recognise(project):
    return package(project) or site(project) or application(project) or scripts(project)


# MARK: Packages


def package(project):
    pyproject = project.toml("pyproject.toml")
    if table(pyproject, "build-system") and not is_virtual(pyproject):
        return Kind("package", PACKAGE, "found pyproject.toml with [build-system]")
    if table(pyproject, "tool", "poetry").get("name") and not is_virtual(pyproject):
        return Kind("package", PACKAGE, "found pyproject.toml with [tool.poetry]")
    # Some projects only list what they require there, and are nothing that can be installed.
    if table(pyproject, "project") and not is_virtual(pyproject) and modules(project, pyproject):
        return Kind("package", PACKAGE, "found pyproject.toml with [project]")
    if calls_setup(project):
        return Kind("package", PACKAGE, "found setup.py that calls setup()")
    if re.search(r"^\[metadata\]", project.read("setup.cfg") or "", re.M):
        return Kind("package", PACKAGE, "found setup.cfg with [metadata]")
    return None


def is_virtual(pyproject):
    """Whether it says that it is nothing to install (uv, Poetry)."""
    return table(pyproject, "tool", "uv").get("package") is False or table(pyproject, "tool", "poetry").get("package-mode") is False


def modules(project, pyproject):
    """Whether setuptools, which builds what names no back end, would find modules."""
    if table(pyproject, "tool", "setuptools"):
        return True
    name = re.sub(r"[-.]+", "_", str(pyproject["project"].get("name", "")))
    return bool(project.has("src", f"{name}.py", f"{name}/__init__.py", f"{name.lower()}/__init__.py"))


def calls_setup(project):
    text = project.read("setup.py") or ""
    return bool(
        re.search(r"^[^#\n]*\bsetup\s*\(", text, re.M)
        and re.search(r"\b(setuptools|distutils|skbuild|numpy\.distutils)\b", text)
    )


# MARK: Sites


def site(project):
    found = project.has(*MKDOCS, "pelicanconf.py")
    if not found and (found := sphinx(project)):
        found += " of Sphinx"
    if not found:
        return None
    if native := project.has(*NATIVE):
        return Kind("site", DOCUMENTATION, f"found {found}, the documentation of what {native} builds")
    return Kind("site", SITE, f"found {found}")


def sphinx(project):
    """The conf.py of Sphinx; many a conf.py is another tool's."""
    for name in SPHINX:
        text = project.read(name)
        if text and re.search(r"^[ \t]*(extensions|project|html_theme)\s*=", text, re.M):
            return name
    return None


# MARK: The rest


def application(project):
    found = project.has(*REQUIREMENTS)
    pyproject = project.toml("pyproject.toml")
    if not found and (table(pyproject, "project") or table(pyproject, "tool", "poetry")):
        found = "pyproject.toml, which is no package's,"
    code = own_scripts(project) or [name for name in project.files if project.has(f"{name}/__init__.py", f"{name}/main.py", f"{name}/app.py")]
    return Kind("application", APPLICATION, f"found {found} and {code[0]}") if found and code else None


def scripts(project):
    found = own_scripts(project)
    return Kind("scripts", SCRIPTS, f"found {found[0]}") if found else None


def own_scripts(project):
    return [name for name in project.files if name.endswith(".py") and not HELPERS.match(name)]
