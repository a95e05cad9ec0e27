# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""npm, Yarn and pnpm: which of them the project is kept with, and how it installs what is locked, and nothing else."""

import os
import re
import shutil
import subprocess

import drydock

LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun"), ("package-lock.json", "npm"), ("npm-shrinkwrap.json", "npm"))
# Debian's names of programs and packages.
PROGRAMS = {"yarn": ("yarn", "yarnpkg"), "npm": ("npm",), "pnpm": ("pnpm",), "bun": ("bun",)}
GRANT = "let the step reach the registry: `network: [preset:npm]` in drydock.yaml and `presets: [npm]` for the operator, or drydock build --network preset:npm"
DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "workspaces")


class Manager:
    def __init__(self, name, argv, lock, modern):
        self.name, self.argv, self.lock = name, argv, lock
        # Yarn from 2 on has other options than Yarn 1.
        self.modern = modern
        self.by_corepack = argv[0] == "corepack"

    def environment(self, job):
        found = {
            "npm_config_cache": f"{job.cache}/npm", "npm_config_fund": "false", "npm_config_audit": "false",
            "npm_config_update_notifier": "false", "YARN_CACHE_FOLDER": f"{job.cache}/yarn", "YARN_ENABLE_GLOBAL_CACHE": "true",
            "YARN_ENABLE_TELEMETRY": "0", "COREPACK_HOME": f"{job.cache}/corepack", "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
            "NEXT_TELEMETRY_DISABLED": "1", "ASTRO_TELEMETRY_DISABLED": "1", "GATSBY_TELEMETRY_DISABLED": "1",
        }
        if os.path.exists("/usr/include/node/node.h"):
            # Add-ons are compiled with the machine's headers: node-gyp would fetch some from nodejs.org.
            found["npm_config_nodedir"] = "/usr"
        if not self.modern:
            # Yarn 1 takes every YARN_… for a setting of its own, and stops at none of these; Yarn 2 does at what it does not know.
            found.pop("YARN_ENABLE_GLOBAL_CACHE")
        return found

    def run(self, job, *arguments, tail=80):
        if self.by_corepack:
            # Corepack takes the manager itself from the same registry.
            lines = 'COREPACK_NPM_REGISTRY="${npm_config_registry:-https://registry.npmjs.org}"; export COREPACK_NPM_REGISTRY; exec "$@"'
            return job.run("sh", "-euc", lines, "sh", *self.argv, *arguments, env=self.environment(job), tail=tail)
        return job.run(*self.argv, *arguments, env=self.environment(job), tail=tail)

    def must(self, job, *arguments):
        if self.run(job, *arguments)["exit"] != 0:
            raise drydock.Failed()

    def execute(self, *command):
        """The arguments that run a program of node_modules/.bin."""
        return ("exec", "--no", "--", *command) if self.name == "npm" else ("exec", *command) if self.name == "pnpm" else ("run", *command)

    def install(self):
        """The arguments of a clean install of what is locked."""
        if self.name == "npm":
            return ("ci",) if self.lock else ("install",)
        if self.name == "yarn":
            return ("install", "--immutable" if self.lock else "--no-immutable") if self.modern else (
                "install", "--non-interactive", "--no-progress", *(["--frozen-lockfile"] if self.lock else []))
        return ("install", "--frozen-lockfile" if self.lock else "--no-frozen-lockfile")


def choose(project, package):
    """The field `packageManager` decides, then the lock file, then it is npm."""
    field = package.get("packageManager")
    asked = re.match(r"(npm|yarn|pnpm|bun)@(\d{1,9})", field) if isinstance(field, str) else None
    lock, by_lock = next(((file, name) for file, name in LOCKS if project.has(file)), (None, "npm"))
    name = asked[1] if asked else by_lock
    if by_lock != name:
        lock = None
    modern = name == "yarn" and (
        (asked and int(asked[2]) >= 2) or bool(project.has(".yarnrc.yml")) or "__metadata:" in (project.read("yarn.lock") or "")[:2000]
    )
    return Manager(name, program(project, name, modern, "packageManager" if asked else lock), lock, bool(modern))


def program(project, name, modern, why):
    """The command of the manager: installed, of the project itself, or by corepack."""
    if modern:
        found = re.search(r"^yarnPath:\s*['\"]?([^'\"\n]+)", project.read(".yarnrc.yml") or "", re.M)
        if found and project.has(found[1] if "/" in found[1] else f"./{found[1]}"):
            return ["node", found[1]]
    for command in PROGRAMS[name]:
        if shutil.which(command) and (name != "yarn" or yarn_version(command) >= ((2,) if modern else (1,))):
            return [command]
    if name in ("yarn", "pnpm") and shutil.which("corepack"):
        return ["corepack", name]
    packages = {"npm": "npm", "yarn": "yarnpkg; Yarn 2 and later: corepack, with nodejs"}
    file = "package.json" if why == "packageManager" else why
    drydock.need(name, packages.get(name, f"{name} is not in Debian 12: npm install -g {name}, or corepack"), f"{why or 'package.json'} asks for it", file, project.line(file, "packageManager") if file == "package.json" else None)


def yarn_version(command):
    """Its version, as a tuple; (0,) where it does not run: Debian's needs Debian's Node."""
    said = subprocess.run([command, "--version"], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return drydock.numbers(said.stdout) or (0,) if said.returncode == 0 else (0,)


def requires(package):
    """The first thing that the project requires; None = nothing has to be installed."""
    for key in DEPENDENCIES:
        found = package.get(key)
        if found and isinstance(found, (dict, list)):
            return str(next(iter(found)))
    return None


def install(job, package, manager):
    required = requires(package)
    job.stage("install", f"Install with {manager.name}")
    # Where there is a network the proxy's variables are set.
    online = "no network" not in job.run("sh", "-c", '[ -n "${https_proxy:-}" ] || echo "no network"')["tail"]
    if not online and job.has("node_modules"):
        return job.warn("Nothing is installed", "There is no network: node_modules is used as it came with the source.")
    if not online and not job.has(".yarn/cache"):
        raise drydock.Failed(f"{required} is required by package.json, and there is no network to get it from", GRANT, "package.json", job.line("package.json", f'"{required}"'))
    ended = manager.run(job, *manager.install())
    if ended["exit"] != 0:
        raise failure(job, manager, "\n".join(ended["tail"]))


# What package managers say, and what to do about it.
KNOWN = (
    (r"can only install (?:packages )?(?:when|with) .*|npm ci.*in sync|Missing: .* from lock file",
     "package.json and the lock file do not agree", "run `npm install` and commit the lock file"),
    (r"Your lockfile needs to be updated|lockfile would have been modified|ERR_PNPM_OUTDATED_LOCKFILE|YN0028",
     "package.json and the lock file do not agree", "run the package manager's install and commit the lock file"),
    (r"ERESOLVE", "two of the required packages can not be had together (peer dependencies)",
     "mend the versions, or write `legacy-peer-deps=true` into the project's .npmrc"),
    (r"gyp ERR! find Python|gyp ERR! stack Error: not found: make|not found: g\+\+",
     "a required package has to be compiled, and what that needs is not there", "install make, g++ and python3 where builds run (Debian: build-essential)"),
)


def failure(job, manager, text):
    if manager.by_corepack and re.search(r"corepack", text, re.I):
        return drydock.Failed(
            f"{manager.name} is not installed on this machine, and corepack could not get it from the registry",
            f"install {manager.name} where builds run: npm install -g {manager.name}", fault="platform",
        )
    for pattern, message, hint in KNOWN:
        if re.search(pattern, text):
            return drydock.Failed(message, hint)
    found = re.search(r"(?:404 +|No matching version found for |ETARGET.*for )['\"]?(@?[\w./-]+@[^\s'\"]+)", text)
    found = found or re.search(r"Couldn't find (?:any versions for|package) \"([^\"]+)\"", text) or re.search(r"404 Not Found - GET \S+/((?:@[^\s/]+(?:/|%2f))?[^\s/]+)", text)
    if found:
        name = re.sub(r"(.)@.*", r"\1", found[1])
        asked = name if "://" in found[1] else found[1]
        return drydock.Failed(
            f"{asked} is required, and the registry has no such package or version", "mend its name or version in package.json",
            "package.json", job.line("package.json", f'"{name}"'),
        )
    return drydock.Failed()
