# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Where a project says what it requires, as arguments of `pip install`."""

import re

from tables import listed, table

TESTS = ("test", "tests", "testing", "dev")
DOCS = ("docs", "doc", "documentation")


def files(project, *names):
    """`-r FILE` for each of these that is there."""
    return [part for name in names if project.has(name) for part in ("-r", name)]


def locked(project):
    """Exact versions where the project's tool keeps them in a form that pip understands."""
    return files(project, "requirements.txt") or files(project, "requirements/base.txt", "requirements/requirements.txt")


def pins(project):
    """`NAME==VERSION` of each package that a lock of uv, Poetry or PDM has in one version: pip reads none of these files."""
    for file in ("uv.lock", "poetry.lock", "pdm.lock"):
        versions = {}
        for package in listed(project.toml(file), "package"):
            if isinstance(package, dict) and isinstance(package.get("version"), str) and isinstance(package.get("name"), str):
                versions.setdefault(package["name"], set()).add(package["version"])
        if versions:
            return list(texts(f"{name}=={found.pop()}" for name, found in versions.items() if len(found) == 1))
    return []


def declared(project):
    """The dependencies of [project], or Poetry's, of what is not a package."""
    pyproject = project.toml("pyproject.toml")
    found = list(texts(listed(pyproject, "project", "dependencies")))
    poetry = table(pyproject, "tool", "poetry")
    groups = [table(poetry, "dependencies")] + [
        table(group, "dependencies") for group in table(poetry, "group").values() if not table(group).get("optional")
    ]
    for group in groups:
        found += [text for name, value in group.items() if name.lower() != "python" and (text := from_poetry(name, value))]
    return found


def pipfile(project):
    """The packages of a Pipfile."""
    packages = table(project.toml("Pipfile"), "packages")
    return [text for name, value in packages.items() if (text := from_poetry(name, value))]


def from_poetry(name, value):
    """Poetry's `^1.2` in the words of PEP 508."""
    extras = ""
    if isinstance(value, list):
        # Versions for several Pythons: pip finds one.
        value = "*"
    if isinstance(value, dict):
        if value.get("optional"):
            return None
        extras = f"[{','.join(map(str, listed(value, 'extras')))}]" if listed(value, "extras") else ""
        value = value.get("version")
        if not value:
            # A path or a repository: what it is has no short form here.
            return None
    clauses = []
    for clause in str(value).split(","):
        clause = clause.strip()
        numbers = re.sub(r"^[\^~]\s*", "", clause)
        if clause in ("", "*"):
            continue
        if clause.startswith("^"):
            parts = [int(part[:9]) for part in re.findall(r"\d+", numbers)[:3]]
            if not parts:
                # Poetry has no such version: pip will say so.
                return f"{name}{extras}=={numbers}" if numbers else f"{name}{extras}"
            kept = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
            clauses += [f">={numbers}", "<" + ".".join(map(str, [*parts[:kept], parts[kept] + 1]))]
        elif clause.startswith("~") and not clause.startswith("~="):
            parts = [int(part[:9]) for part in re.findall(r"\d+", numbers)[:2]]
            if not parts:
                return f"{name}{extras}=={numbers}" if numbers else f"{name}{extras}"
            clauses += [f">={numbers}", "<" + ".".join(map(str, [*parts[:-1], parts[-1] + 1]))]
        else:
            clauses.append(clause if re.match(r"[<>=!~]", clause) else f"=={clause}")
    return f"{name}{extras}{','.join(clauses)}"


def group(project, names):
    """What [dependency-groups] (PEP 735) and Poetry's groups say under the first of these names."""
    pyproject = project.toml("pyproject.toml")
    groups = table(pyproject, "dependency-groups")
    for name in names:
        if name in groups:
            return flattened(groups, name, set())
    poetry = table(pyproject, "tool", "poetry")
    for name in names:
        found = table(poetry, "group", name, "dependencies") or table(poetry, f"{name}-dependencies")
        if found:
            return [text for key, value in found.items() if (text := from_poetry(key, value))]
    return []


def flattened(groups, name, seen):
    if name in seen:
        return []
    seen.add(name)
    found = list(texts(listed(groups, name)))
    for item in listed(groups, name):
        if isinstance(item, dict) and isinstance(item.get("include-group"), str):
            found += flattened(groups, item["include-group"], seen)
    return found


def extra(project, names):
    """The first of these extras that the package has."""
    declared = table(project.toml("pyproject.toml"), "project", "optional-dependencies")
    if found := next((name for name in names if name in declared), None):
        return found
    section = re.search(r"^\[options\.extras_require\]\n((?:.*\n?)*?)(?=^\[|\Z)", project.read("setup.cfg") or "", re.M)
    listed = re.findall(r"^([\w-]+)\s*=", section[1], re.M) if section else []
    return next((name for name in names if name in listed), None)


def texts(value):
    """What looks like a requirement, and can be no option of pip."""
    return (item for item in (value if isinstance(value, list) else []) if isinstance(item, str) and re.match(r"[A-Za-z0-9]", item))
