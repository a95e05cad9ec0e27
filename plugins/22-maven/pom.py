"""What a pom.xml says, as far as it can be read without its parents."""

import itertools
import re
import xml.etree.ElementTree as tree

import drydock

# Characters of a text with its properties put in.
LONGEST = 1_000
MOST_PLUGINS = 200
# Where a project says for which Java it is: the first one counts.
RELEASES = ("maven.compiler.release", "maven.compiler.target", "maven.compiler.source", "java.version", "jdk.version")


class Model:
    def __init__(self, project):
        self.project = project
        text = project.read("pom.xml")
        self.root = None
        if text is None:
            return
        # Entities of its own only blow a document up.
        if "<!DOCTYPE" in text[:4_096]:
            raise drydock.Failed(
                "pom.xml has a document type, and a pom has none", "leave it out", "pom.xml", project.line("pom.xml", "<!DOCTYPE")
            )
        try:
            root = tree.fromstring(text.encode())
        except (tree.ParseError, RecursionError, ValueError, LookupError) as error:
            line = error.position[0] if isinstance(error, tree.ParseError) else None
            raise drydock.Failed(f"pom.xml is no XML: {error}", "mend that line", "pom.xml", line)
        if local(root) == "project":
            self.root = root

    @property
    def is_there(self):
        return self.root is not None

    @property
    def name(self):
        return self.text("artifactId") or "a project"

    def find(self, *names):
        """The element below the project by the names on the way."""
        here = self.root
        for name in names:
            here = next((child for child in here if local(child) == name), None)
            if here is None:
                return None
        return here

    def text(self, *names):
        """Its text, with simple properties put in; None = there is none."""
        found = self.find(*names)
        return self.resolved(found.text or "") if found is not None else None

    def resolved(self, text):
        values = {local(child): child.text or "" for child in reversed(self.find("properties") or [])}
        said = text.strip()[:LONGEST]
        for _ in range(6):
            # Properties of properties: what doubles each time is clipped, or it would take all memory.
            before, said = said, re.sub(r"\$\{([^}]{1,100})\}", lambda match: values.get(match[1], match[0]), said)[:LONGEST]
            if said == before:
                break
        return said

    def modules(self):
        found = self.find("modules")
        return [(child.text or "").strip() for child in found if local(child) == "module"] if found is not None else []

    def releases(self):
        """What Java is asked for: (property, version, line), the one that counts."""
        for key in RELEASES:
            value = self.text("properties", key)
            if value:
                yield key, value, self.project.line("pom.xml", f"<{key}>")
                return
        # One within another is nobody's: each would be walked again for those around it.
        for plugin in itertools.islice((element for element in self.root.iter() if local(element) == "plugin"), MOST_PLUGINS):
            if local(plugin) != "plugin" or not any(
                local(c) == "artifactId" and (c.text or "").strip() == "maven-compiler-plugin" for c in plugin
            ):
                continue
            for key in ("release", "target", "source"):
                for element in plugin.iter():
                    if local(element) == key and element.text:
                        yield f"<{key}>", self.resolved(element.text), self.project.line("pom.xml", f"<{key}>")
                        return


def local(element):
    """A name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
