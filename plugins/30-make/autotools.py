"""configure scripts: which are some, what they need, and how they are run."""

import os
import re
import shutil

import drydock
import results

SOURCES = ("configure.ac", "configure.in")
# The macro of configure.ac, the tool that it needs, and Debian's package.
TOOLS = (
    ("AM_INIT_AUTOMAKE", "automake", "automake"),
    ("LT_INIT", "libtoolize", "libtool"),
    ("AC_PROG_LIBTOOL", "libtoolize", "libtool"),
    ("AM_PROG_LIBTOOL", "libtoolize", "libtool"),
    ("PKG_CHECK_MODULES", "pkg-config", "pkg-config"),
    ("AM_GNU_GETTEXT", "autopoint", "autopoint"),
    ("IT_PROG_INTLTOOL", "intltoolize", "intltool"),
    ("GTK_DOC_CHECK", "gtkdocize", "gtk-doc-tools"),
)
ACLOCAL = "/usr/share/aclocal"
# Macros of the archive that are looked for.
MOST_MACROS = 200


def script(project):
    """The name of a configure script that makes makefiles; one that only calls another tool is none."""
    text = project.read("configure")
    if not text:
        return None
    if "GNU Autoconf" in text[:4_096]:
        return "configure"
    is_wrapper = re.search(r"^[ \t]*(?:exec\s+)?(?:cmake|meson|cargo|npm|pip|go)\s", text, re.MULTILINE)
    makes_makefile = "akefile" in text or "config.mak" in text
    return "configure" if makes_makefile and not is_wrapper else None


def source(project):
    """The file that configure is made from."""
    return next((name for name in SOURCES if "AC_INIT" in (project.read(name) or "")), None)


def check(project):
    """Tools before the first step. A script that is there needs none of autoconf's."""
    text = project.read("configure") or ""
    if script(project):
        if "ac_cv_prog_CC" in text or "gcc" in text:
            drydock.need("cc", "gcc", "configure looks for a C compiler", "configure")
        return
    name = source(project)
    text = uncommented(project.read(name))
    drydock.need("autoreconf", "autoconf", f"there is {name} and no configure", name, project.line(name, "AC_INIT"))
    asked = re.search(r"AC_PREREQ\(\s*\[?([\d.]+)", text)
    if asked:
        drydock.need_version(
            "autoconf",
            drydock.numbers(asked[1]),
            f"autoconf {asked[1]}",
            file=name,
            line=project.line(name, "AC_PREREQ"),
        )
    for macro, command, package in TOOLS:
        if re.search(rf"\b{macro}\b", text):
            drydock.need(command, package, f"{macro} of {name}", name, project.line(name, macro))
    if re.search(r"\bAC_PROG_CC\b", text):
        drydock.need("cc", "gcc", f"AC_PROG_CC of {name}", name, project.line(name, "AC_PROG_CC"))
    if re.search(r"\bAC_PROG_CXX\b", text):
        drydock.need("c++", "g++", f"AC_PROG_CXX of {name}", name, project.line(name, "AC_PROG_CXX"))
    check_archive(project, name, text)


def check_archive(project, name, text):
    """Macros of the Autoconf archive, which autoconf would leave as words in the script."""
    macros = sorted(set(re.findall(r"\bAX_[A-Z0-9_]+", text)))[:MOST_MACROS]
    own_files = {os.path.basename(path) for path, _ in results.files(project.source) if path.endswith(".m4")} if macros else set()
    included = set(re.findall(r"\bAX_[A-Z0-9_]+", project.read("acinclude.m4") or ""))
    for macro in macros:
        file = macro.lower() + ".m4"
        own = file in own_files or macro in included
        if not own and f"AC_DEFUN([{macro}" not in text and not os.path.exists(f"{ACLOCAL}/{file}") and os.path.isdir(ACLOCAL):
            # Some files of the archive define several macros.
            if not defined(macro):
                raise drydock.Failed(
                    f"the macro {macro} is not on this machine",
                    "install it where builds run (Debian: apt install autoconf-archive)",
                    name,
                    project.line(name, macro),
                    fault="platform",
                )


def defined(macro):
    for file in os.scandir(ACLOCAL):
        if file.name.startswith("ax_"):
            with open(file.path, errors="replace") as text:
                if f"[{macro}]" in text.read():
                    return True
    return False


def uncommented(text):
    return re.sub(r"(?m)(?:^|\s)(?:dnl\b|#).*$", "", text or "")


def configure(job, options):
    """Makes configure where it is not there, and runs it."""
    made = script(job) is None and source(job)
    if not made and not script(job):
        return
    job.stage("configure")
    if made:
        # Some projects look for files that are only there for releases.
        job.must("autoreconf", "-fi")
    else:
        keep_generated(job)
    job.must(*interpreter(job), "./configure", "--prefix=/usr", *options)


def interpreter(job):
    """What runs the script, by its first line: archives do not always keep the bit that makes it executable."""
    first = (job.read("configure") or "").partition("\n")[0]
    for name in ("python3", "python", "perl", "bash"):
        if first.startswith("#!") and name in first:
            return ["python3" if name == "python" else name]
    return ["sh"]


def keep_generated(job):
    """A checkout's times say nothing: automake's files would be made anew, by a version that is not there."""
    made_by = re.search(r"generated by automake (\d+\.\d+)", job.read("Makefile.in") or "")
    if not made_by:
        return
    if shutil.which("automake") and (drydock.version("automake") or ())[:2] == drydock.numbers(made_by[1]):
        return
    job.shell(
        'for name in aclocal.m4 configure config.h.in config.hin; do find . -name "$name" -exec touch {} +; done\n'
        "find . -name Makefile.in -exec touch {} +"
    )
