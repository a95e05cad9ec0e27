# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Where real projects come from: Debian's source packages, source archives of PyPI, git repositories. What is already in the
directory is not fetched again. Nothing of a project runs on this machine outside of a sandbox. Standard library only."""

import contextlib
import pathlib
import re
import subprocess
import tempfile

DEBIAN_LISTS = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")


class Missing(Exception):
    """The project could not be fetched; the text is why."""


@contextlib.contextmanager
def apt_with_sources():
    """`apt-get` with `deb-src` lines of its own beside the machine's configuration, which stays as it is."""
    with tempfile.TemporaryDirectory() as lists:
        around = pathlib.Path(lists)
        (around / "parts").mkdir()
        (around / "state/partial").mkdir(parents=True)
        for file in filter(pathlib.Path.is_file, map(pathlib.Path, DEBIAN_LISTS)):
            text = file.read_text()
            if file.suffix == ".sources":
                text = re.sub(r"(?m)^Types:.*", "Types: deb-src", text)
            else:
                text = "\n".join(re.findall(r"(?m)^deb .*", text)).replace("deb ", "deb-src ")
            (around / "parts" / ("source" + file.suffix)).write_text(text + "\n")
        yield ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={around}/parts",
               "-o", f"Dir::State::Lists={around}/state"]


def debian_archive(archives, package):
    """The upstream archive of a Debian source package: `NAME_VERSION.orig.tar.…`."""
    found = [path for path in archives.glob(f"{package}_*.orig.tar.*") if path.suffix != ".asc"]
    return found[0] if found else None


def fetch_debian(archives, packages):
    wanted = [package for package in packages if not debian_archive(archives, package)]
    if not wanted:
        return
    with apt_with_sources() as apt:
        subprocess.run([*apt, "update"], check=False)
        # One by one, so that a package that Debian does not have takes no other with it.
        for package in wanted:
            subprocess.run([*apt, "source", "--download-only", "--tar-only", package], cwd=archives, check=False, stdout=subprocess.DEVNULL)


def pypi_archive(archives, requirement):
    """The source archive of `name==version`; a name's `-`, `_`, `.` and capitals are as its author wrote them."""
    name, version = requirement.split("==")
    wanted = re.compile(re.sub(r"[-_.]+", "[-_.]+", name) + "-" + re.escape(version) + r"\.(tar\.gz|zip)$", re.IGNORECASE)
    found = [path for path in archives.iterdir() if wanted.match(path.name)]
    return found[0] if found else None


def fetch_pypi(archives, requirements, drydock):
    """By pip in a sandbox of `drydock` (the words of `drydock build …`), since pip runs a project's build back end even to download it."""
    wanted = [requirement for requirement in requirements if not pypi_archive(archives, requirement)]
    if not wanted:
        return
    # Only the project itself has to be its source: what builds it may come as wheels.
    download = 'echo {0}; python3 -m pip download --quiet --no-deps --no-binary {1} --dest "$DRYDOCK_OUT" {0} || echo not {0}'
    lines = "".join("        " + download.format(requirement, requirement.split("==")[0]) + "\n" for requirement in wanted)
    with tempfile.TemporaryDirectory() as project:
        pathlib.Path(project, "drydock.yaml").write_text(
            f"version: 1\nsteps:\n  - plugin: script\n    network: ['preset:pip']\n    with:\n      run: |\n{lines}")
        subprocess.run([*drydock, "--output", "plain", "--network", "preset:pip", "--out", str(archives), project], check=False)


def git_tree(archives, url):
    return archives / (url.rstrip("/").rsplit("/", 1)[1].removesuffix(".git") + ".git-tree")


def fetch_git(archives, projects):
    for project in projects:
        tree = git_tree(archives, project["git"])
        if not tree.is_dir():
            branch = ["--branch", project["tag"]] if "tag" in project else []
            subprocess.run(["git", "clone", "--quiet", "--depth", "1", *branch, project["git"], str(tree)], check=False)


def fetch(archives, projects, drydock):
    archives.mkdir(parents=True, exist_ok=True)
    fetch_debian(archives, [project["debian"] for project in projects if "debian" in project])
    fetch_pypi(archives, [project["pypi"] for project in projects if "pypi" in project], drydock)
    fetch_git(archives, [project for project in projects if "git" in project])


def version(archives, project):
    """As its archive or repository has it."""
    if "pypi" in project:
        return project["pypi"].split("==")[1]
    if "debian" in project:
        name = debian_archive(archives, project["debian"]).name
        return re.sub(r"[+~](ds|dfsg|cs|really).*", "", name.split("_", 1)[1].split(".orig.tar.")[0])
    if "tag" in project:
        return project["tag"]
    tree = git_tree(archives, project["git"])
    return subprocess.run(["git", "-C", str(tree), "log", "-1", "--format=of %cs"], capture_output=True, text=True).stdout.strip()


def unpack(archives, project, target):
    """The project's files in `target`, with what the list adds to them (`add`: text by path)."""
    target.mkdir(parents=True)
    if "git" in project:
        tree = git_tree(archives, project["git"])
        if not tree.is_dir():
            raise Missing("its repository could not be cloned")
        subprocess.run(f"git -C '{tree}' archive HEAD | tar -x -C '{target}'", shell=True, check=True)
    else:
        archive = debian_archive(archives, project["debian"]) if "debian" in project else pypi_archive(archives, project["pypi"])
        if archive is None:
            raise Missing("its source archive could not be downloaded")
        subprocess.run(["tar", "--extract", "--no-same-owner", "--file", archive, "--directory", target], check=True)
        lift(target)
    for path, text in project.get("add", {}).items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def lift(target):
    """What lies in one directory at the top of an archive comes up, as a user has it after a checkout."""
    inside = list(target.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        top = inside[0].rename(target.with_name(target.name + ".top"))
        target.rmdir()
        top.rename(target)
