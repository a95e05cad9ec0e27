"""Which Rust a project asks for, in its several places."""

import subprocess

import drydock
from crates import table

EDITIONS = {"2018": (1, 31), "2021": (1, 56), "2024": (1, 85)}
# The first cargo that reads a version of Cargo.lock.
LOCKS = {3: (1, 53), 4: (1, 78)}


def check(project, workspace):
    """Fails where the machine's is too old, with the file and line that ask for more."""
    drydock.need("cargo", "cargo", "Cargo.toml is its file", "Cargo.toml", 1)
    drydock.need("rustc", "rustc", "Cargo.toml is Rust's file", "Cargo.toml", 1)
    drydock.need("cc", "gcc", "rustc links programs with it", "Cargo.toml", 1)
    have = drydock.version("rustc")
    for name, manifest in workspace.manifests.items():
        package = table(manifest, "package") or table(table(manifest, "workspace"), "package")
        asked = package.get("rust-version")
        # Of members that are not built it is of no consequence; their edition is, since all manifests are read.
        if isinstance(asked, str) and drydock.numbers(asked) and name in workspace.built():
            need(asked, f"rust-version {asked}", have, name, project.line(name, "rust-version"))
        edition = package.get("edition")
        if isinstance(edition, str) and edition in EDITIONS:
            need(EDITIONS[edition], f"edition {edition}", have, name, project.line(name, "edition"))
    lock = project.toml("Cargo.lock").get("version")
    if isinstance(lock, int) and lock in LOCKS:
        drydock.need_version(
            "cargo",
            LOCKS[lock],
            f"Cargo.lock of version {lock}",
            package="cargo",
            file="Cargo.lock",
            line=project.line("Cargo.lock", "version ="),
        )
    channel(project, have)


def hosts():
    """Where this machine's cargo gets crates. Before 1.70 its index is a git repository, which no preset grants."""
    if (drydock.version("cargo") or (1, 70)) >= (1, 70):
        return "preset:cargo"
    return "github.com --network crates.io --network static.crates.io"


def need(least, asked, have, file, line):
    least = drydock.numbers(least) if isinstance(least, str) else least
    drydock.need_version("rustc", least, asked, have, "rustc", file, line)


def channel(project, have):
    """The toolchain that rustup would bring. A cargo without rustup does not read the file."""
    name = project.has("rust-toolchain.toml", "rust-toolchain")
    if not name:
        return
    text = project.read(name) or ""
    asked = table(project.toml(name), "toolchain").get("channel") if "[" in text else text.strip()
    if not isinstance(asked, str):
        return
    line = project.line(name, asked)
    if asked[:1].isdigit():
        need(asked, f"Rust {asked}", have, name, line)
    elif asked.startswith("nightly") and not is_nightly():
        raise drydock.Failed(
            f"the project asks for Rust {asked}, and this machine has a released one",
            "install a nightly Rust where builds run, or remove the file where the project builds without",
            name,
            line,
            fault="platform",
        )


def is_nightly():
    try:
        said = subprocess.run(["rustc", "--version"], capture_output=True, text=True, timeout=15, cwd="/")
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "nightly" in said.stdout
