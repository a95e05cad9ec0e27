# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""What a package.json is the manifest of, and how that is built."""

import re

import drydock

# Tools that build by their configuration alone, where there is no script for it: (files, command).
TOOLS = (
    ("vite.config.*", ("vite", "build")), ("next.config.*", ("next", "build")), ("astro.config.*", ("astro", "build")),
    (".eleventy.js", ("eleventy",)), ("eleventy.config.*", ("eleventy",)), ("rollup.config.*", ("rollup", "-c")),
    ("webpack.config.*", ("webpack",)), ("docusaurus.config.*", ("docusaurus", "build")),
)


def package(project):
    found = project.json("package.json")
    if not found:
        raise drydock.Failed("there is no package.json, or nothing stands in it", "build the directory that has it: drydock build --directory DIR")
    return found


def scripts(package):
    found = package.get("scripts")
    return {name: text for name, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def tool(project):
    """(file, command) of the first tool whose configuration is there."""
    for pattern, command in TOOLS:
        if file := project.has(pattern):
            return file, command
    return None


def recognise(project):
    found = project.json("package.json")
    if not found:
        return None
    if "build" in scripts(found):
        return 85, "found package.json with the script build"
    if configured := tool(project):
        return 85, f"found package.json and {configured[0]}"
    # Beside a page, a manifest that names no module only holds somebody's tools.
    if project.has("index.html") and not any(key in found for key in ("main", "exports", "bin", "module", "files")):
        return 25, "found package.json, which neither builds nor is a package"
    return 40, "found package.json without a script build"


def builds(project, package):
    """Whether something is run to build it, rather than that it is only packed."""
    return bool(project.options.get("script") or "build" in scripts(package) or tool(project))


def command(project, package, manager):
    """What follows the package manager's name to build; None = there is nothing to build, only to pack."""
    name = project.options.get("script")
    known = scripts(package)
    if name and name not in known:
        raise drydock.Failed(
            f"package.json has no script {name}", f"it has: {', '.join(sorted(known)) or 'none'}", "package.json", project.line("package.json", '"scripts"'),
        )
    if name or "build" in known:
        return "run", name or "build"
    if configured := tool(project):
        return manager.execute(*configured[1])
    if not (package.get("name") and package.get("version")):
        raise drydock.Failed(
            "package.json has no script build, and neither name and version to make a package of it",
            "add a script build, or name one: with: { script: NAME }", "package.json", 1,
        )
    return None


def test_script(project, package):
    text = scripts(package).get("test", "")
    if not text or "no test specified" in text:
        raise drydock.Failed("package.json has no script test", "build without with: { tests: true }", "package.json", project.line("package.json", '"scripts"'))
    return "test"


# What builds say, and what to do about it.
KNOWN = (
    (r"ERR_OSSL_EVP_UNSUPPORTED|digital envelope routines::unsupported",
     "the build's webpack is older than this Node: it asks OpenSSL for a digest that is gone",
     "upgrade webpack to 5, or let it: `env: { NODE_OPTIONS: --openssl-legacy-provider }` in drydock.yaml"),
    (r"Treating warnings as errors because process\.env\.CI",
     "the build takes warnings for errors, as it does wherever CI is set", "mend the warnings above, or say `CI= ` in front of the command in the script build"),
    (r"heap out of memory", "Node ran out of its own memory", "`env: { NODE_OPTIONS: --max-old-space-size=1536 }` in drydock.yaml, within the step's memory"),
)


def failure(ended):
    text = "\n".join(ended["tail"])
    for pattern, message, hint in KNOWN:
        if re.search(pattern, text):
            return drydock.Failed(message, hint)
    if found := re.search(r"^(\S[^\n(]*)\((\d{1,9}),\d+\): error (TS\d+: [^\n]*)", text, re.M):
        return drydock.Failed(found[3], None, found[1], int(found[2]))
    # As dash and bash say it.
    if found := re.search(r"sh: (?:\d+: |line \d+: )?([\w.@/-]+): (?:command )?not found", text):
        return drydock.Failed(f"the build runs {found[1]}, which was not installed", f"add what has it to devDependencies: npm install --save-dev {found[1]}")
    if found := re.search(r"Cannot find (?:module|package) '([^'./][^']*)'", text):
        return drydock.Failed(f"the build needs the module {found[1]}, which was not installed", f"add it to package.json: npm install --save-dev {found[1]}")
    return drydock.Failed()
