# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Wheel and source archive of a package, by the build back end that it names (PEP 517)."""

import os
import re

import drydock
import interpreter
import requirements
import syntax
import unit_tests
from tables import listed, table

# Lines of Python for the build's sandbox; they stay here, since a driver's folder is not seen there.
HOOK = open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "hook.txt")).read()
# What the hook ends with where the back end has no `build_sdist`.
NO_SDIST = 3
LEGACY = "setuptools.build_meta:__legacy__"


class Backend:
    """The table [build-system]; without one it is setuptools', as pip has it."""

    def __init__(self, project):
        said = table(project.toml("pyproject.toml"), "build-system")
        self.name = said.get("build-backend") or LEGACY
        self.requires = list(requirements.texts(said.get("requires", ["setuptools", "wheel"])))
        self.paths = [path for path in listed(said, "backend-path") if isinstance(path, str)]
        # A setup.py without the table may import what its author had installed before.
        self.legacy = not said
        if not isinstance(self.name, str) or not re.fullmatch(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?", self.name):
            raise drydock.Failed(
                "build-backend is not the name of a module", "name one, such as setuptools.build_meta",
                "pyproject.toml", project.line("pyproject.toml", "build-backend"),
            )


def plan(project):
    backend = Backend(project)
    network = ["preset:pip"]
    if backend.name.split(".")[0] in ("maturin", "setuptools_rust") or any(text.startswith("setuptools-rust") for text in backend.requires):
        line = project.line("pyproject.toml", "maturin") or project.line("pyproject.toml", "setuptools-rust")
        drydock.need("cargo", "cargo", f"the package is built by {backend.name.split('.')[0]}", "pyproject.toml", line)
        network.append("preset:cargo")
    return {"network": network, "outputs": ["*.whl"]}


def run(job, environment):
    syntax.check(job, environment)
    backend = Backend(job)
    job.stage("install", "Install what the build requires")
    environment.pip("build", *backend.requires, *(requirements.locked(job) if backend.legacy else []))
    wheel(job, environment, backend)
    if job.options.get("sdist", True):
        job.stage("sdist", "Build the source archive")
        source_archive(job, environment, backend)
    if job.options.get("tests"):
        unit_tests.run(job, environment, "*.whl")


def source_archive(job, environment, backend):
    """It is made beside the wheel, and only who asks for one has a build fail without: Meson's takes git's history, which an
    upload does not have."""
    asked = job.options.get("sdist")
    try:
        made = hook(environment, backend, "sdist") != NO_SDIST
        reason, remedy = f"{backend.name} makes none", "build without with: { sdist: true }"
    except drydock.Failed as failure:
        made, reason, remedy = False, failure.message or f"{backend.name} could not make one", failure.hint
    if made:
        gather(job, ".tar.gz", "a source archive")
    elif asked:
        raise drydock.Failed(f"there is no source archive: {reason}", remedy)
    else:
        job.warn("There is no source archive", f"{reason}; the wheel is there.")


def wheel(job, environment, backend):
    hook(environment, backend, "requires", environment.job.scratch + "/requires.txt")
    environment.pip("build", "-r", job.scratch + "/requires.txt")
    job.stage("wheel", "Build the wheel")
    hook(environment, backend, "wheel")
    for name in gather(job, ".whl", "a wheel"):
        if name.lower().startswith("unknown-"):
            raise drydock.Failed(
                "the wheel has no name: the build back end did not read the project's",
                "this setuptools is older than [project] in pyproject.toml: say `requires = [\"setuptools>=61\"]` in [build-system]",
                "pyproject.toml" if job.has("pyproject.toml") else "setup.py", 1,
            )
    if environment.run("build", "python", "-c", HOOK, "look", "")["exit"] != 0:
        raise drydock.Failed(
            "the wheel is empty: the build back end found no module to put into it",
            "tell it where the modules are ([tool.setuptools] packages, [tool.hatch.build.targets.wheel] packages, …)",
        )


def hook(environment, backend, verb, target="$DRYDOCK_OUT"):
    ended = environment.run("build", "python", "-c", HOOK, verb, target, backend.name, *backend.paths)
    if ended["exit"] not in (0, NO_SDIST):
        raise failure(backend, "\n".join(ended["tail"]), environment.online)
    return ended["exit"]


def gather(job, suffix, what):
    """The names of the files of this kind that were made, declared; none is a failure."""
    ended = job.run("sh", "-c", 'cd "$DRYDOCK_OUT" && ls -- *"$1"', "sh", suffix, tail=50)
    names = [name for name in ended["tail"] if name.endswith(suffix)] if ended["exit"] == 0 else []
    if not names:
        raise drydock.Failed(f"the build back end said it was done and made no {what.split(' ', 1)[1]}", "build it by hand: python3 -m build")
    for name in names:
        job.artifact(name, "package")
    return names


# What back ends say, and what to do about it.
KNOWN = (
    (r"setuptools[-_.]scm was unable to detect version|Error getting the version from source `vcs`|unable to determine version.*(scm|git)|Unable to determine version from git|requires either an sdist tarball, or access to an upstream git repository",
     "the package takes its version from git, and the source has no history",
     "say it: `env: { SETUPTOOLS_SCM_PRETEND_VERSION: \"1.0\", PDM_BUILD_SCM_VERSION: \"1.0\", PBR_VERSION: \"1.0\" }` in drydock.yaml, or send a checkout with its history"),
    (r"Multiple top-level (packages|modules) discovered",
     "setuptools found several directories that could be the package",
     "name it: [tool.setuptools] packages = [\"NAME\"] in pyproject.toml"),
    (r"Dist currently only works with Git or Mercurial repos",
     "Meson makes a source archive of a git checkout only, and the source has no history",
     "send a checkout with its history"),
    (r"invalid command 'bdist_wheel'", "setuptools needs the package wheel to make a wheel",
     "add wheel to `requires` of [build-system], or install python3-wheel where builds run"),
    (r"error: command '.*(?:gcc|cc|g\+\+|clang)' failed|[\w/.-]+\.h: No such file or directory",
     None, "install the compiler and the headers that the package's extension needs where builds run"),
)


def failure(backend, text, online):
    for pattern, message, hint in KNOWN:
        if re.search(pattern, text):
            return drydock.Failed(message or f"{backend.name} could not compile the package", hint)
    missing = re.search(r"No module named '([\w.]+)'", text)
    if missing:
        return drydock.Failed(
            f"{backend.name} needs the module {missing[1]}, which is not there",
            f"add what has it to `requires` of [build-system]" + ("" if online else ", or install it where builds run: there is no network"),
        )
    return drydock.Failed()
