# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""The project's tests, where `with: { tests: true }` asks for them: most source archives come without what theirs need."""

import os
import re

import drydock
import requirements
from tables import listed, table

FILES = ("requirements-test.txt", "requirements-tests.txt", "requirements-dev.txt", "requirements_dev.txt",
         "test-requirements.txt", "dev-requirements.txt", "requirements/test.txt", "requirements/tests.txt",
         "requirements/dev.txt", "tests/requirements.txt")
WITHOUT = "build without with: { tests: true }"


def folder(project):
    return next((name for name in ("tests", "test", "testing") if name in project.files), None)


def plan(project):
    if not folder(project) and not project.has("test_*.py", "*_test.py") and not project.has("src"):
        raise drydock.Failed("there are no tests: neither tests nor test is there", WITHOUT)


# unittest's tests are methods: a function alone is pytest's.
PYTESTS = re.compile(r"^(?:[ \t]*(?:import|from) pytest\b|(?:async )?def test_)", re.M)


def by_pytest(project):
    """Whether the tests are written for pytest; all that is not is unittest's."""
    pyproject = project.toml("pyproject.toml")
    if "pytest" in table(pyproject, "tool") or project.has("pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"):
        return True
    if re.search(r"\[(tool:)?pytest\]", (project.read("setup.cfg") or "") + (project.read("tox.ini") or "")):
        return True
    wanted = requirements.group(project, requirements.TESTS)
    wanted += requirements.texts(listed(pyproject, "project", "optional-dependencies", requirements.extra(project, requirements.TESTS)))
    texts = " ".join(wanted) + "".join(project.read(name) or "" for name in (*FILES, "requirements.txt"))
    return "pytest" in texts or any(PYTESTS.search(text) for text in sources(project))


def sources(project):
    """The texts of some tests, where nothing but these says what they are written for."""
    top = folder(project)
    if not top or os.path.islink(project.path(top)):
        return
    for name in sorted(os.listdir(project.path(top)))[:50]:
        if name.endswith(".py"):
            yield project.read(f"{top}/{name}") or ""


def run(job, environment, wheel=None):
    plan(job)
    pytest = by_pytest(job)
    install(job, environment, pytest, wheel)
    job.stage("test", "Run the tests")
    # The package is tried as it lies there where nothing was installed.
    path = {} if wheel and environment.online else {"PYTHONPATH": "src:." if "src" in job.files else "."}
    if pytest:
        return run_pytest(job, environment, path)
    ended = environment.run(
        "test", "python", "-m", "unittest", "discover", "-s", folder(job) or ".", "-t", ".", "-v", env={"PYTHONPATH": "src:." if "src" in job.files else "."},
    )
    # Python before 3.12 calls it a success when there are none; the later ones end with 5.
    if ended["exit"] == 5 or any(line.startswith("Ran 0 tests") for line in ended["tail"]):
        raise drydock.Failed("no test was run: unittest found none", f"{WITHOUT}, or name the files test*.py")
    if ended["exit"] != 0:
        raise drydock.Failed("the tests failed", "without with: { tests: true } they are not run")


def run_pytest(job, environment, path):
    ended = environment.run(
        "test", "python", "-m", "pytest", "-p", "no:cacheprovider", "--junit-xml", f"{job.out}/reports/tests.xml", *([folder(job)] if folder(job) else []),
        env=path,
    )
    if ended["exit"] in (0, 1):
        job.artifact("reports/tests.xml", "report", "Tests")
    if ended["exit"] == 5:
        raise drydock.Failed("no test was run: pytest found none", WITHOUT)
    if ended["exit"] != 0:
        missing = re.search(r"No module named '?([\w.]+)", "\n".join(ended["tail"]))
        if missing:
            raise drydock.Failed(
                f"the tests need the module {missing[1]}, which is not there",
                "list it under [dependency-groups] test, an extra named test, or in requirements-test.txt",
            )
        raise drydock.Failed("the tests failed", "without with: { tests: true } they are not run")


def install(job, environment, pytest, wheel):
    job.stage("install-tests", "Install what the tests require")
    wanted = requirements.files(job, *FILES, "requirements.txt") + requirements.group(job, requirements.TESTS)
    extra = requirements.extra(job, requirements.TESTS)
    environment.make("test")
    if wheel:
        # Its name is not known here: the build has just made it.
        job.shell(
            'cd "$DRYDOCK_OUT" && for file in *.whl; do echo "./$file${2:+[$2]}"; done >"$1"', f"{job.scratch}/wheels.txt", extra or "",
        )
        job.shell('sed "s|^\\./|$DRYDOCK_OUT/|" "$1" >"$1.new" && mv "$1.new" "$1"', f"{job.scratch}/wheels.txt")
        wanted += ["-r", f"{job.scratch}/wheels.txt"]
    elif job.toml("pyproject.toml"):
        wanted += requirements.declared(job)
    if pytest:
        wanted.append("pytest")
    if wanted:
        environment.pip("test", *wanted)
