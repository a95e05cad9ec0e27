#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-indexes.py FOLDER: makes an index as pip wants it (FOLDER/simple) and one as npm does (FOLDER/npm), each with two
packages of which the first, drydock-first, needs the second; and a git repository (FOLDER/open/repo.git)."""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

folder = sys.argv[1]


def wheel(name, code, requires=()):
    """A wheel with one module."""
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(f"Requires-Dist: {r}\n" for r in requires)
    files = {
        f"{module}.py": code,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    os.makedirs(f"{folder}/simple/{name}", exist_ok=True)
    with zipfile.ZipFile(f"{folder}/simple/{name}/{module}-1.0-py3-none-any.whl", "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)


def package(name, code, requires=None):
    """A package of npm's: its description, and its archive beside it."""
    about = {"name": name, "version": "1.0.0", "main": "index.js", "dependencies": requires or {}}
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for path, content in {"package/package.json": json.dumps(about), "package/index.js": code}.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    os.makedirs(f"{folder}/npm", exist_ok=True)
    with open(f"{folder}/npm/{name}-1.0.0.tgz", "wb") as file:
        file.write(data.getvalue())
    digest = base64.b64encode(hashlib.sha512(data.getvalue()).digest()).decode()
    about["dist"] = {"tarball": f"https://index.test/npm/{name}-1.0.0.tgz", "integrity": f"sha512-{digest}"}
    with open(f"{folder}/npm/{name}", "w") as file:
        json.dump({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": about}}, file)


wheel("drydock-second", "word = 'fine'\n")
wheel("drydock-first", "from drydock_second import word\n", ["drydock-second"])
package("drydock-second", "module.exports = 'fine'")
package("drydock-first", "module.exports = require('drydock-second')", {"drydock-second": "1.0.0"})
os.makedirs(f"{folder}/open", exist_ok=True)
subprocess.run(
    """set -e; rm -rf repo; git init -q -b main repo; echo fine > repo/file.txt; git -C repo add -A
    git -C repo -c user.name=t -c user.email=t@example.org commit -qm one; git clone -q --bare repo repo.git; rm -rf repo""",
    shell=True, check=True, cwd=f"{folder}/open")
