# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""What a build script made: files are compared before and after, since no tool says where it writes."""

import json
import os

import drydock

# Lines of JavaScript for the build's sandbox; they stay here, since a driver's folder is not seen there.
COMPARE = open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "compare.txt")).read()


def remember(job):
    job.must("node", "-e", COMPARE, "before", f"{job.scratch}/files.json")


def give(job, manager, package):
    """Gives out the site, or the package, or the files; a script that made nothing has failed."""
    job.stage("collect", "Collect the results")
    found = compare(job)
    output = job.options.get("output")
    if output:
        return give_folder(job, output, found)
    if found["site"] is not None:
        return give_site(job, found["site"], found["pages"])
    if not found["changed"]:
        raise drydock.Failed(
            "the build script made nothing: no file of the project is new or changed",
            "have it write its results below the project, or name another script: with: { script: NAME }",
            "package.json", job.line("package.json", '"build"'),
        )
    if found["needs_server"]:
        job.warn(
            "There is nothing to look at yet",
            f"{found['needs_server']} is for a server. For a site of files let the tool export one (Next: `output: \"export\"`, SvelteKit: adapter-static).",
        )
    if package.get("name") and package.get("version") and not package.get("private"):
        return pack(job, manager, package, built=True)
    copy(job, found["folders"], "build")
    job.artifact("build", "other", "What the build script made")


def compare(job):
    ended = job.run("node", "-e", COMPARE, "after", f"{job.scratch}/files.json", tail=1)
    try:
        return json.loads(ended["tail"][-1])
    except (IndexError, ValueError):
        raise drydock.Failed("what the build made could not be looked through: there are too many files, or they vanished")


def give_folder(job, output, found):
    if job.run("test", "-d", output)["exit"] != 0:
        raise drydock.Failed(f"with: {{ output: {output} }} names a folder that the build did not make", "name the one that it makes, relative to the project")
    if job.run("test", "-f", f"{output}/index.html")["exit"] == 0:
        return give_site(job, output, found["pages"] if found["site"] == output else None)
    job.shell('mkdir -p "$DRYDOCK_OUT/build" && cp -R -- "./$1/." "$DRYDOCK_OUT/build"', output)
    job.artifact("build", "other", "What the build script made")


def give_site(job, root, pages):
    # The page of a project that builds only its script lies at the top, among sources and node_modules.
    exclude = ["--exclude=./node_modules", "--exclude=./.?*"] if root == "." else []
    job.shell(
        'root=$1; shift; mkdir -p "$DRYDOCK_OUT/site"; tar -C "$root" "$@" -cf - . | tar -xf - -C "$DRYDOCK_OUT/site"', root, *exclude,
    )
    job.artifact("site", "site")
    job.preview("site", spa=job.options.get("spa", pages == 1))


def copy(job, folders, target):
    job.shell(
        'target=$1; shift; mkdir -p "$DRYDOCK_OUT/$target"; cp -R --parents -- "$@" "$DRYDOCK_OUT/$target"', target, *(f"./{name}" for name in folders),
    )


def pack(job, manager, package, built=False):
    """npm's archive of the package, which every package manager installs."""
    job.stage("pack", "Make the package")
    if not (package.get("name") and package.get("version")):
        raise drydock.Failed("package.json has no name and version to make a package of", "add both", "package.json", 1)
    drydock.need("npm", "npm", "it makes the package")
    # What prepares the package has run when it was built.
    lines = 'npm pack --json --pack-destination "$DRYDOCK_OUT" $2 >"$1.raw"'
    if job.run("sh", "-euc", lines, "sh", f"{job.scratch}/pack.json", "--ignore-scripts" if built else "", env=manager.environment(job))["exit"] != 0:
        raise drydock.Failed()
    ended = job.run("node", "-e", COMPARE, "packed", f"{job.scratch}/files.json", f"{job.scratch}/pack.json.raw", tail=1)
    try:
        packed = json.loads(ended["tail"][-1])
    except (IndexError, ValueError):
        raise drydock.Failed("npm pack made no package", "run it by hand: npm pack --dry-run")
    if built and not packed["built"]:
        raise drydock.Failed(
            "the package has nothing of what the build script made", "name it in `files` of package.json (.gitignore and .npmignore leave it out otherwise)",
            "package.json", job.line("package.json", '"files"') or 1,
        )
    if packed["missing"]:
        job.warn("The package lacks its own main file", f"`{packed['missing']}` stands in package.json, and is not in the package.")
    job.artifact(packed["name"], "package")
