"""What Package.swift says, read as text: it is a program, and the project's own."""

import re

import drydock

# Where a step may fetch dependencies from: `permits.network` of plugin.json.
HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")


class Package:
    def __init__(self, project):
        self.project = project
        text = project.read("Package.swift") or ""
        said = re.search(r"(?m)^//\s*swift-tools-version[ \t]*(?::[ \t]*)?(\d+(?:\.\d+)*)", text)
        self.tools = drydock.numbers(said[1]) if said else None
        self.tools_line = text.count("\n", 0, said.start()) + 1 if said else None
        # Comments are of no consequence, but the // of an address is none.
        self.text = re.sub(r"(?m)(?<!:)//.*$", "", re.sub(r"(?s)/\*.*?(?:\*/|\Z)", "", text))
        self.is_there = re.search(r"\bPackage\s*\(", self.text) is not None
        named = re.search(r"\bPackage\s*\(\s*name\s*:\s*\"([^\"]+)\"", self.text)
        self.name = named[1] if named else None

    def has_manifest_for(self, have):
        """Whether there is a Package@swift-5.9.swift that this machine's version takes instead."""
        others = [
            drydock.numbers(name.partition("@swift-")[2])
            for name in self.project.files
            if re.fullmatch(r"Package@swift-[\d.]+\.swift", name)
        ]
        return have is not None and any(other <= have for other in others if other)

    def remote(self):
        """The addresses of the dependencies that are fetched."""
        asked = re.findall(r"\.package\s*\([^)]{0,300}?\burl\s*:\s*\"([^\"]+)\"", self.text)
        locked = re.findall(r"\"(?:location|repositoryURL)\"\s*:\s*\"([^\"]+)\"", self.project.read("Package.resolved") or "")
        return list(dict.fromkeys(asked + (locked if asked else [])))

    @property
    def has_programs(self):
        return re.search(r"\.executable(?:Target)?\s*\(|type\s*:\s*\.(?:dynamic|static)\b", self.text) is not None

    def system_libraries(self):
        """Names for pkg-config, with Debian's package where the manifest says it."""
        # Each is asked for by a program of its own.
        places = list(re.finditer(r"\bpkgConfig\s*:\s*\"([^\"]+)\"", self.text))[:100]
        for place, following in zip(places, [*places[1:], None]):
            rest = self.text[place.end() : following.start() if following else place.end() + 500]
            debian = re.search(r"\.apt\w*\s*\(\s*\[\s*\"([^\"]+)\"", rest)
            if "\0" not in place[1]:
                yield place[1], debian[1] if debian else None


def host(url):
    """The host of an address, as git reads it: https://host/…, git@host:…"""
    found = re.match(r"(?:\w+://)?(?:[^@/]+@)?([\w.-]+)[:/]", url)
    return found[1].lower() if found else None
