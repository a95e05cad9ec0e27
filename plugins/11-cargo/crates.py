"""What the manifests of a cargo project say: its members, what they make, and where their dependencies are."""

import glob
import itertools
import os

import drydock

# Members of a workspace that are looked at.
MOST_MEMBERS = 300
# Bytes of their manifests together.
MOST_TEXT = 4 << 20
TABLES = ("dependencies", "build-dependencies", "dev-dependencies")


def table(value, key):
    """A table of a manifest, {} where there is none or something else."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def listed(value, key):
    """The same for a list."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


class Workspace:
    def __init__(self, project):
        self.project = project
        self.root = project.toml("Cargo.toml")
        if not table(self.root, "package") and "workspace" not in self.root:
            raise drydock.Failed(
                "Cargo.toml has neither [package] nor [workspace]", "name another plugin in drydock.yaml", "Cargo.toml", 1
            )
        self.manifests = {"Cargo.toml": self.root}
        room = MOST_TEXT
        for pattern in listed(table(self.root, "workspace"), "members")[:MOST_MEMBERS]:
            for folder in sorted(itertools.islice(glob.iglob(str(pattern), root_dir=project.source), MOST_MEMBERS)):
                name = os.path.join(folder, "Cargo.toml")
                # No link of a stranger's leads out.
                if ".." not in name.split("/") and os.path.isfile(project.path(name)) and room > 0:
                    room -= os.path.getsize(project.path(name))
                    self.manifests[os.path.normpath(name)] = project.toml(name)

    def has_programs(self):
        """Whether one of its packages has a program that is always built, or a library for other languages."""
        for name, manifest in self.built().items():
            folder = os.path.dirname(name)
            bins = [b for b in manifest.get("bin", []) if isinstance(b, dict)] if isinstance(manifest.get("bin"), list) else []
            if any("required-features" not in b for b in bins):
                return True
            if not bins and table(manifest, "package").get("autobins", True) and self.has_sources(folder):
                return True
            kinds = listed(table(manifest, "lib"), "crate-type")
            if "cdylib" in kinds or "staticlib" in kinds:
                return True
        return False

    def has_sources(self, folder):
        path = self.project.path(folder, "src")
        return os.path.isfile(os.path.join(path, "main.rs")) or os.path.isdir(os.path.join(path, "bin"))

    def has_library(self):
        folders = [(os.path.dirname(name), manifest) for name, manifest in self.built().items()]
        return any("lib" in manifest or os.path.isfile(self.project.path(folder, "src/lib.rs")) for folder, manifest in folders)

    def built(self):
        """Those that `cargo build` builds: at the top of a workspace that is a package itself, only that."""
        if table(self.root, "package"):
            return {"Cargo.toml": self.root}
        return self.manifests

    def publishable(self):
        return [
            table(manifest, "package")["name"]
            for manifest in self.built().values()
            if isinstance(table(manifest, "package").get("name"), str) and table(manifest, "package").get("publish") is not False
        ]

    def replacement(self):
        """The directory that stands for the index, and the file that says so; None = there is none."""
        for name in (".cargo/config.toml", ".cargo/config"):
            sources = table(self.project.toml(name), "source")
            replaced = table(sources, "crates-io").get("replace-with")
            directory = table(sources, replaced).get("directory") if isinstance(replaced, str) else None
            if isinstance(directory, str):
                return directory, name
        return None

    def is_vendored(self):
        found = self.replacement()
        if not found:
            return os.path.isdir(self.project.path("vendor")) and bool(
                glob.glob(self.project.path("vendor/*/.cargo-checksum.json"))
            )
        if os.path.isdir(os.path.join(self.project.source, found[0])):
            return True
        raise drydock.Failed(
            f"{found[1]} takes crates from {found[0]}, which is not there",
            "add that directory to the source, or leave the lines out",
            found[1],
            self.project.line(found[1], found[0]),
        )

    def sources(self):
        """Options that let cargo take crates from `vendor` where no file says so."""
        if self.replacement() or not self.is_vendored():
            return []
        return ["--config", 'source.crates-io.replace-with="vendored"', "--config", 'source.vendored.directory="vendor"']

    def downloads(self):
        """The names of what has to be downloaded; [] = the source is complete."""
        if self.is_vendored():
            return []
        locked = listed(self.project.toml("Cargo.lock"), "package")
        names = {entry["name"] for entry in locked if isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry.get("source")}
        for manifest in [*self.manifests.values(), table(self.root, "workspace")]:
            for key in TABLES:
                tables = [table(manifest, key)] + [table(target, key) for target in table(manifest, "target").values()]
                names.update(name for entries in tables for name, value in entries.items() if self.is_foreign(value))
        return sorted(name for name in names if isinstance(name, str))

    def is_foreign(self, value):
        if isinstance(value, dict) and value.get("workspace") is True:
            # What it is stands in the workspace's own table, which counts as well.
            return False
        return not (isinstance(value, dict) and "path" in value)
