# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Virtual environments in the build's sandbox, and pip in them. With a network they hold what pip brings and nothing
else; without one, the machine's own packages are seen, and a requirement that these do not meet is the failure."""

import functools
import os
import re

import drydock

GRANT = "let the step reach the index: `network: [preset:pip]` in drydock.yaml and `presets: [pip]` for the operator, or drydock build --network preset:pip"
MISSING = re.compile(r"No matching distribution found for (\S.*)")
UNSATISFIED = re.compile(r"Could not find a version that satisfies the requirement (\S+)")


class Environment:
    def __init__(self, job, python):
        self.job, self.python = job, python
        self.variables = {
            "PIP_CACHE_DIR": f"{job.cache}/pip",
            "UV_CACHE_DIR": f"{job.cache}/uv",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PYTHONPYCACHEPREFIX": "/tmp/compiled",
        }

    @functools.cached_property
    def online(self):
        """Whether the step may reach anything: then the proxy's variables are set."""
        return "no network" not in self.job.run("sh", "-c", '[ -n "${https_proxy:-}" ] || echo "no network"')["tail"]

    @functools.cached_property
    def made(self):
        return set()

    def make(self, name):
        """The directory of the environment of this name, made where it is not there yet."""
        path = f"{self.job.scratch}/environments/{name}"
        if name not in self.made:
            self.made.add(name)
            # pip stays outside, and is the machine's: Debian's venv has none without a package of its own.
            site = [] if self.online else ["--system-site-packages"]
            self.job.must(self.python, "-m", "venv", "--clear", "--without-pip", *site, path, env=self.variables)
        return path

    def pip(self, name, *arguments):
        """pip install in the environment; names the requirement that is not to be had."""
        path = self.make(name)
        if not arguments:
            return
        index = [] if self.online else ["--no-index"]
        ended = self.job.run(
            "python3", "-m", "pip", "--python", f"{path}/bin/python", "install", "-q", "--progress-bar", "off", *index, *arguments,
            env=self.variables, tail=60,
        )
        if ended["exit"] != 0:
            raise self.failure(ended["tail"])

    def check(self, name):
        self.job.must("python3", "-m", "pip", "--python", f"{self.make(name)}/bin/python", "check", env=self.variables)

    def failure(self, tail):
        text = "\n".join(tail)
        found = MISSING.search(text) or UNSATISFIED.search(text)
        if found and not self.online:
            return drydock.Failed(f"{found[1]} is required, not on this machine, and there is no network to get it from", GRANT)
        if found:
            return drydock.Failed(
                f"{found[1]} is required, and the index has nothing for it that this Python takes",
                "mend the requirement (name, version, or a Python that it is made for)",
            )
        if "ResolutionImpossible" in text:
            clash = re.search(r"Cannot install (.*?) because", text)
            return drydock.Failed(
                f"what is required can not be had together{': ' + clash[1] if clash else ''}",
                "mend the versions, or write the lock file anew where it has others",
            )
        if re.search(r"pg_config|mysql_config|\.h: No such file|error: command '.*(gcc|cc|g\+\+)", text):
            return drydock.Failed(
                "a requirement has to be compiled, and what it needs for that is not on this machine",
                "take a version of it that has a wheel, or install the compiler and the library's headers where builds run",
            )
        return drydock.Failed()

    def run(self, name, *argv, env=None, tail=60):
        """Runs a command with the environment's programs first on the PATH; returns the end."""
        path = self.make(name)
        # No shell in front of it: what runs is the command that a failure shows, and whose output is known.
        own = {"PATH": f"{path}/bin:{os.environ.get('PATH', os.defpath)}", "VIRTUAL_ENV": path}
        program = f"{path}/bin/python" if argv[0] == "python" else argv[0]
        return self.job.run(program, *argv[1:], env={**self.variables, **own, **(env or {})}, tail=tail)

    def must(self, name, *argv, env=None):
        if self.run(name, *argv, env=env)["exit"] != 0:
            raise drydock.Failed()
