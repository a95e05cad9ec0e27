#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-indexes.py FOLDER: makes an index as pip wants it (FOLDER/simple), one as npm does (FOLDER/npm), as cargo (FOLDER/cargo,
sparse), as go (FOLDER/go), as Maven (FOLDER/maven) and, where there is dpkg-deb, as apt (FOLDER/apt), each with two packages of
which the first, drydock-first, needs the second; and a git repository (FOLDER/open/repo.git)."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

folder = sys.argv[1]


def write(path, data):
    os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
    with open(f"{folder}/{path}", "wb") as file:
        file.write(data)


def archive(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as made:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content.encode()))
    return data.getvalue()


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
    data = archive({"package/package.json": json.dumps(about), "package/index.js": code})
    write(f"npm/{name}-1.0.0.tgz", data)
    digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
    about["dist"] = {"tarball": f"https://index.test/npm/{name}-1.0.0.tgz", "integrity": f"sha512-{digest}"}
    listed = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": about}}
    write(f"npm/{name}", json.dumps(listed).encode())


def crate(name, code, needs=()):
    """A crate, and its line in a sparse index. Source: doc.rust-lang.org/cargo/reference/registry-index.html."""
    manifest = f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\n'
    manifest += "".join(f'{needed} = "1"\n' for needed in needs)
    data = archive({f"{name}-1.0.0/Cargo.toml": manifest, f"{name}-1.0.0/src/lib.rs": code})
    line = {"name": name, "vers": "1.0.0", "cksum": hashlib.sha256(data).hexdigest(), "features": {}, "yanked": False, "deps": [
        {"name": needed, "req": "^1", "features": [], "optional": False, "default_features": True, "target": None,
         "kind": "normal"} for needed in needs]}
    write(f"cargo/{name}-1.0.0.crate", data)
    write(f"cargo/{name[:2]}/{name[2:4]}/{name}", json.dumps(line).encode() + b"\n")


def module(name, code, needs=()):
    """A module as a proxy of go's has it. Source: go.dev/ref/mod, "GOPROXY protocol"."""
    path = f"index.test/{name}"
    about = f"module {path}\n\ngo 1.19\n" + "".join(f"\nrequire index.test/{needed} v1.0.0\n" for needed in needs)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(f"{path}@v1.0.0/go.mod", about)
        file.writestr(f"{path}@v1.0.0/{name}.go", code)
    for end, content in {"list": b"v1.0.0\n", "v1.0.0.info": b'{"Version":"v1.0.0","Time":"2024-01-01T00:00:00Z"}',
                         "v1.0.0.mod": about.encode(), "v1.0.0.zip": data.getvalue()}.items():
        write(f"go/{path}/@v/{end}", content)


def artifact(group, name, version, word="", needs=()):
    """A jar with a file `word`, and what Maven wants to know of it."""
    about = f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>"
    needed = "".join(f"<dependency><groupId>{group}</groupId><artifactId>{need}</artifactId><version>{version}</version>"
                     "</dependency>" for need in needs)
    pom = f"<project><modelVersion>4.0.0</modelVersion>{about}<dependencies>{needed}</dependencies></project>"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as jar:
        jar.writestr("word", word)
    for end, content in {"pom": pom.encode(), "jar": data.getvalue()}.items():
        path = f"maven/{group.replace('.', '/')}/{name}/{version}/{name}-{version}.{end}"
        write(path, content)
        write(f"{path}.sha1", hashlib.sha1(content).hexdigest().encode())


def deb(name, word="", needs=()):
    """A package of Debian's with a file `word`; returns its paragraph of the list. Source: man 5 deb-control."""
    about = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: a test\n"
    about += f"Depends: {', '.join(needs)}\n" if needs else ""
    path = f"{folder}/apt/{name}.deb"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        for place, content in {"DEBIAN/control": about, f"usr/share/{name}/word": word}.items():
            os.makedirs(os.path.dirname(f"{root}/{place}"))
            with open(f"{root}/{place}", "w") as file:
                file.write(content)
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", root, path], check=True, stdout=subprocess.DEVNULL)
    with open(path, "rb") as file:
        data = file.read()
    return f"{about}Filename: {name}.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n"


wheel("drydock-second", "word = 'fine'\n")
wheel("drydock-first", "from drydock_second import word\n", ["drydock-second"])
package("drydock-second", "module.exports = 'fine'")
package("drydock-first", "module.exports = require('drydock-second')", {"drydock-second": "1.0.0"})
crate("drydock-second", "pub fn word() -> &'static str { \"fine\" }")
crate("drydock-first", "pub use drydock_second::word;", ["drydock-second"])
write("cargo/config.json", json.dumps({"dl": "https://index.test/cargo/{crate}-{version}.crate"}).encode())
module("second", 'package second\n\nconst Word = "fine"\n')
module("first", 'package first\n\nimport "index.test/second"\n\nconst Word = second.Word\n', ["second"])
artifact("test.drydock", "drydock-second", "1.0", "fine\n")
artifact("test.drydock", "drydock-first", "1.0", needs=["drydock-second"])
# Maven before 3.9 adds this to an extension that does not name it.
artifact("org.codehaus.plexus", "plexus-utils", "1.1")
if shutil.which("dpkg-deb"):
    write("apt/Packages", (deb("drydock-second", "fine\n") + deb("drydock-first", needs=["drydock-second"])).encode())
os.makedirs(f"{folder}/open", exist_ok=True)
subprocess.run(
    """set -e; rm -rf repo; git init -q -b main repo; echo fine > repo/file.txt; git -C repo add -A
    git -C repo -c user.name=t -c user.email=t@example.org commit -qm one; git clone -q --bare repo repo.git; rm -rf repo""",
    shell=True, check=True, cwd=f"{folder}/open")
