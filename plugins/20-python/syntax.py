# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Compiles the project's own code, so that a slip of the pen is told first, with its line."""

# Data of tests, templates and copies of others' code may be anything, and old Python.
OTHERS = r"(^|/)(tests?|testing|fixtures?|templates?|data|examples?|samples?|_?vendor(ed)?|node_modules|\.[^/.][^/]*)/"
# Directories at the top that are no package.
NO_CODE = {"tests", "test", "docs", "doc", "examples", "build", "dist", "node_modules", "venv", "env"}


def check(job, environment):
    job.stage("compile", "Check the syntax")
    own = [name for name in job.files if name == "src" or (name not in NO_CODE and job.has(f"{name}/__init__.py"))]
    own += [name for name in job.files if name.endswith(".py")]
    if own:
        job.must(environment.python, "-m", "compileall", "-q", "-x", OTHERS, *own, env=environment.variables)
