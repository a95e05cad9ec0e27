# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Applications, and scripts without packaging: what they require is installed, their sources are given out."""

import shutil

import kinds
import requirements
import syntax
import unit_tests

# A tree for people: without what tools and earlier builds left.
COPY = """
mkdir -p "$DRYDOCK_OUT/$1"
tar -cf - --exclude='./.?*' --exclude='*/.git' --exclude=__pycache__ --exclude=./node_modules --exclude=./venv --exclude=./env . |
    tar -xf - -C "$DRYDOCK_OUT/$1"
"""


def plan(project):
    if kinds.recognise(project).name == "scripts":
        return {"network": [], "outputs": ["*.py"]}
    return {"network": ["preset:pip"], "outputs": ["application/**"]}


def run(job, environment):
    if kinds.recognise(job).name == "scripts":
        syntax.check(job, environment)
        if job.options.get("tests"):
            unit_tests.run(job, environment)
        job.stage("collect", "Collect the scripts")
        job.shell('cp -R -- "$@" "$DRYDOCK_OUT"/', *(name for name in job.files if name.endswith(".py")))
        return
    install(job, environment)
    # The whole tree may hold anything; only the application's own code is checked.
    syntax.check(job, environment)
    if job.options.get("tests"):
        unit_tests.run(job, environment)
    job.stage("collect", "Collect the sources")
    job.shell(COPY, "application")
    job.artifact("application", "other", "The application's sources")
    job.warn(
        "There is nothing to look at yet",
        "What the application requires was installed and its code compiles; running it as a preview is not supported yet.",
    )


def install(job, environment):
    job.stage("install", "Install what the application requires")
    if job.has("uv.lock") and shutil.which("uv") and environment.online:
        path = environment.make("run")
        environment.must("run", "uv", "sync", "--frozen", "--no-install-project", "--active", env={"UV_PROJECT_ENVIRONMENT": path})
        return
    wanted = requirements.locked(job) or requirements.declared(job) or requirements.pipfile(job)
    if wanted:
        if pins := requirements.pins(job):
            job.shell('file=$1; shift; printf "%s\\n" "$@" >"$file"', f"{job.scratch}/locked.txt", *pins)
            wanted += ["-c", f"{job.scratch}/locked.txt"]
        environment.pip("run", *wanted)
        # Two requirements that can not be had together are a failure of the application.
        environment.check("run")
