# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Whether this machine's Node is one that the project asks for."""

import drydock
import semver


def check(project, package):
    drydock.need("node", "nodejs", "it runs everything in package.json", "package.json", 1)
    engines = package.get("engines")
    wish = engines.get("node") if isinstance(engines, dict) else None
    have = drydock.version("node")
    if not isinstance(wish, str) or have is None:
        return
    if semver.allows(wish, semver.full(have[:3])) is False:
        raise drydock.Failed(
            f"the project asks for engines.node {wish}, and this machine has node {'.'.join(map(str, have))}",
            "install such a Node where builds run, and name its directory in the configuration's `toolchain`; or change engines.node",
            "package.json", line(project, wish), fault="platform",
        )


def line(project, wish):
    """The line of `"node": "RANGE"`; the range may stand in others, too."""
    for number, text in enumerate((project.read("package.json") or "").splitlines(), 1):
        if '"node"' in text and wish in text:
            return number
    return project.line("package.json", '"engines"')
