"""What Gradle's build scripts say, read as text: they are programs, and the project's own."""

import os
import re
import shutil

import drydock
import java
import results

NAMES = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
# Words of scripts, and the first Gradle that knows them.
WORDS = (
    (r"\btoolchain\s*\{", (6, 7)),
    (r"\boptions\.release\b", (6, 6)),
    (r"\barchive(?:BaseName|Version|FileName)\b", (5, 1)),
    (r"\btasks\.register\b", (4, 9)),
    (r"\buseJUnitPlatform\b", (4, 6)),
)
# Characters of all scripts together.
MOST_TEXT = 4 << 20
WRAPPER = "gradle/wrapper/gradle-wrapper.properties"


class Build:
    def __init__(self, project):
        self.project = project
        self.file = project.has(*NAMES)
        self.texts = {}
        if not self.file:
            return
        for path, _ in results.files(project.source):
            name = os.path.basename(path)
            if (name in NAMES or name.endswith((".gradle", ".gradle.kts")) or name == "libs.versions.toml") and len(
                self.texts
            ) < 300 and sum(map(len, self.texts.values())) < MOST_TEXT:
                # The // of an address begins no comment.
                self.texts[path] = re.sub(r"(?m)(?<!:)//.*$", "", project.read(path) or "")
        said = re.search(r"gradle-([\d.]+\d)(?:-[\w-]+)?\.zip", project.read(WRAPPER) or "")
        self.asked = said[1] if said else None

    @property
    def takes_wrapper(self):
        """Whether the project brings the way to a Gradle that this machine has not, or only an older one."""
        if not self.asked or self.project.read("gradlew") is None:
            return False
        if not os.path.isfile(self.project.path("gradle/wrapper/gradle-wrapper.jar")):
            return False
        have = drydock.version("gradle") if shutil.which("gradle") else None
        return have is None or have[:1] < drydock.numbers(self.asked)[:1]

    def check_gradle(self):
        """The machine's Gradle."""
        drydock.need("gradle", "gradle", f"{self.file} is its file", self.file, 1)
        have = drydock.version("gradle")
        if self.asked:
            # Within a major version Gradle keeps what it can do.
            drydock.need_version(
                "gradle",
                drydock.numbers(self.asked)[:1],
                f"Gradle {self.asked}",
                have,
                "gradle",
                WRAPPER,
                self.project.line(WRAPPER, "distributionUrl"),
            )
        for word, least in WORDS:
            for file, text in self.texts.items():
                found = re.search(word, text)
                if found:
                    line = text.count("\n", 0, found.start()) + 1
                    asked = f"Gradle {least[0]}.{least[1]} or later (`{found[0].rstrip(' {')}`)"
                    drydock.need_version("gradle", least, asked, have, "gradle", file, line)
        if any(name.endswith(".kts") for name in self.texts):
            name = next(name for name in self.texts if name.endswith(".kts"))
            drydock.need_version("gradle", (5,), f"Gradle 5 or later ({name} is Kotlin)", have, "gradle", name, 1)

    def for_android(self):
        """The file and line that build something for Android; None = none does."""
        for file, text in self.texts.items():
            for number, line in enumerate(text.splitlines(), 1):
                # A catalog only gives it a name, and `apply false` a version.
                if (
                    re.search(r"com\.android\.(application|library)", line)
                    and "apply false" not in line
                    and not file.endswith(".toml")
                ):
                    return file, number
        return None

    def releases(self):
        """What Java is asked for: (version, words, file, line)."""
        patterns = (
            (r"languageVersion\s*(?:=|\.set\(|\()\s*(?:\(\s*)?JavaLanguageVersion\.of\(\s*[\"']?(\d+)", "toolchain"),
            (r"jvmToolchain\s*\(\s*(\d+)", "jvmToolchain"),
            (r"\boptions\.release\s*(?:=|\.set\()\s*(\d+)", "options.release"),
            (r"\btargetCompatibility\s*(?:=\s*)?[\"']?((?:JavaVersion\.)?[\w.]+)", "targetCompatibility"),
            (r"\bsourceCompatibility\s*(?:=\s*)?[\"']?((?:JavaVersion\.)?[\w.]+)", "sourceCompatibility"),
        )
        for file, text in self.texts.items():
            for pattern, key in patterns:
                found = re.search(pattern, text)
                version = java.release(found[1]) if found else None
                if version:
                    yield version, f"Java {version} ({key})", file, text.count("\n", 0, found.start(1)) + 1

    def downloads(self):
        """The plugins and dependencies that stand nowhere in the source."""
        found = []
        for text in self.texts.values():
            found += re.findall(r"\bid\s*(?:\(\s*)?[\"']([\w.-]+)[\"']\)?\s+version\b", text)
            found += re.findall(r"[\"']([\w.-]+:[\w.-]+(?::[\w.$\{\}+-]+)?)(?:@\w+)?[\"']", text)
            found += re.findall(r"\b(kotlin\s*\(\s*\"jvm\"\s*\))\s*version", text)
            pairs = re.findall(r"\bgroup\s*[:=]\s*[\"']([\w.-]+)[\"'],\s*name\s*[:=]\s*[\"']([\w.-]+)", text)
            found += [":".join(pair) for pair in pairs]
            found += re.findall(r"\balias\s*\(\s*(libs[\w.]+)", text)
        return list(dict.fromkeys(name for name in found if not name.startswith(":")))
