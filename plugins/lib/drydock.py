# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""For drivers written in Python (3.11 or later):

    sys.dont_write_bytecode = True  # the digest covers this directory
    sys.path.insert(0, os.environ["DRYDOCK_LIB"])
    import drydock

    def detect(project):            # (score, why), or None: not mine
    def plan(project):              # checks what can be known before the first step; may return fields of it
    def run(job):                   # does the work

    drydock.serve(detect=detect, plan=plan, run=run)

docs/plugin-protocol.md says what the verbs and records mean.
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import traceback

# A file of a project that is larger is read by nobody here.
LARGEST_FILE = 1 << 20
# A dotted key of TOML, or a table's name, that nobody wrote.
MANY_PARTS = re.compile(r"""(?<![\w-])(?:(?:[\w-]{1,200}|"[^"\n]{0,200}"|'[^'\n]{0,200}')[ \t]{0,8}\.[ \t]{0,8}){64}""")


class Failed(Exception):
    """The project failed: `message` and `hint` are for its author; nothing = the last command says it all."""

    def __init__(self, message=None, hint=None, file=None, line=None, fault="user"):
        super().__init__(message)
        self.message, self.hint, self.file, self.line, self.fault = message, hint, file, line, fault

    def fields(self):
        found = {"message": clipped(self.message), "hint": clipped(self.hint), "file": self.file, "line": self.line, "fault": self.fault}
        return {key: value for key, value in found.items() if value is not None}


def clipped(text, most=1_000):
    """A sentence that the host takes: words of the project in it may be as long as a file, or be no text at all."""
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= most else text[: most - 1] + "…"


class Project:
    """The project as it lies in this driver's own sandbox: to be read, not to be run."""

    def __init__(self, request):
        # The environment says the same, and where there is no sandbox (tests) where it really is.
        self.source = os.environ.get("DRYDOCK_SOURCE", request["source"])
        self.out = os.environ.get("DRYDOCK_OUT", request["out"])
        # What later builds of the project find again, once this one has succeeded: for downloads, and what compilers keep.
        self.cache = os.environ.get("DRYDOCK_CACHE", request["cache"])
        # For files of this build's own: the project's source stays as it is, and the next build begins without them.
        self.scratch = os.environ.get("HOME", "/w/home")
        # Names at its top.
        self.files = request["files"]
        # The step's parameters.
        self.options = request.get("with") or {}

    def path(self, *names):
        return os.path.join(self.source, *names)

    def has(self, *names):
        """The first of `names` (globs for names at the top, or paths) that is there; None = there is none."""
        for name in names:
            if "/" in name:
                if os.path.lexists(self.path(name)):
                    return name
            else:
                for file in self.files:
                    if fnmatch.fnmatchcase(file, name):
                        return file
        return None

    def read(self, name):
        """The text of a file, repaired where it is no UTF-8; None where there is no such file, or no ordinary one."""
        try:
            # The project is a stranger's: no link leads out of it, no pipe is waited for.
            descriptor = os.open(self.path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, ValueError):
            # No name either: it holds a NUL or half a surrogate pair.
            return None
        with open(descriptor, "rb") as file:
            if not os.path.isfile(f"/proc/self/fd/{descriptor}"):
                return None
            return file.read(LARGEST_FILE).decode(errors="replace").removeprefix("\ufeff")

    def json(self, name):
        """The object in a file of JSON; {} where there is none. A file that can not be read is the project's failure."""
        text = self.read(name)
        if text is None:
            return {}
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise Failed(f"{name} is no JSON: {error.msg}", "mend that line", name, error.lineno)
        except RecursionError:
            raise Failed(f"{name} is nested too deeply", file=name)
        except ValueError:
            raise Failed(f"{name} holds a number of thousands of digits", "shorten it", name)
        if not isinstance(value, dict):
            raise Failed(f"{name} should hold an object", file=name, line=1)
        return value

    def toml(self, name):
        """The same for TOML."""
        import tomllib

        text = self.read(name)
        if text is None:
            return {}
        # The reader walks a dotted key once for each of its parts.
        if many := MANY_PARTS.search(text):
            raise Failed(f"{name} has a key of more than 64 parts", "shorten it", name, text.count("\n", 0, many.start()) + 1)
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            raise Failed(f"{name} is no TOML: {error}", "mend that line", name, int(line[1]) if line else None)
        except RecursionError:
            raise Failed(f"{name} is nested too deeply", file=name)
        except ValueError:
            raise Failed(f"{name} holds a number of thousands of digits", "shorten it", name)

    def line(self, name, text):
        """The number of the first line of a file that holds `text`; None = none does."""
        for number, line in enumerate((self.read(name) or "").splitlines(), 1):
            if text in line:
                return number
        return None


# MARK: What a project needs


def numbers(text):
    """The first version in a text, as a tuple: 'go1.21.4' is (1, 21, 4); None = there is none."""
    found = re.search(r"\d+(?:\.\d+)*", text or "")
    # Python refuses numbers of thousands of digits.
    return tuple(int(part[:9]) for part in found[0].split(".")[:6]) if found else None


def version(command, *arguments):
    """The version that a tool of this machine says it has, as a tuple; None where it does not say.

    Runs here, in the driver's sandbox: for tools of the machine, never for a program of the project."""
    try:
        said = subprocess.run(
            [command, *(arguments or ["--version"])], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=15, cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # What a tool says when it fails is no version: line 1207 of a stack of calls.
    return numbers(said.stdout or said.stderr) if said.returncode == 0 else None


def need(command, package=None, why=None, file=None, line=None):
    """Fails before the first command unless the tool is there. `package` is Debian's, `why` what asks for it."""
    if shutil.which(command):
        return
    reason = f": {why}" if why else ""
    raise Failed(
        f"`{command}` is needed and not installed on this machine{reason}",
        f"install it where builds run (Debian: apt install {package or command}), or name its directory in the "
        "configuration's `toolchain`",
        file, line, fault="platform",
    )


def need_version(command, least, asked, have=None, package=None, file=None, line=None):
    """The same for a version: `least` is a tuple (None = the project's words hold none), `asked` the project's own words for
    it (`engines.node >=20`)."""
    need(command, package, asked, file, line)
    have = have or version(command)
    if have is None or least is None or have >= least:
        return
    raise Failed(
        f"the project asks for {asked}, and this machine has {command} {'.'.join(map(str, have))}",
        f"install {command} {'.'.join(map(str, least))} or later where builds run, or lower what the project asks for",
        file, line, fault="platform",
    )


# MARK: Talking to the host


def say(t, **fields):
    """Writes one record."""
    print("@dd " + json.dumps({"t": t, **{k: v for k, v in fields.items() if v is not None}}), flush=True)


class Job(Project):
    """The work of the verb `run`."""

    commands = 0

    def stage(self, id, title=None):
        """From here on everything belongs to this stage; its title stands in the manifest."""
        say("stage", id=id, title=title)

    def skip(self, *ids):
        """These stages will not come: known early, the bar does not count on them."""
        for id in ids:
            say("stage", id=id, op="skip")

    def run(self, *argv, env=None, cwd=None, tail=20):
        """Has the host run a command in the build's sandbox; returns the `exec.end` record."""
        Job.commands += 1
        id = f"c{Job.commands}"
        say("exec", id=id, argv=list(argv), env=env, cwd=cwd, tail=tail)
        for line in sys.stdin:
            answer = json.loads(line)
            if answer["t"] == "exec.end" and answer.get("error"):
                raise ValueError(f"the host refused a command: {answer['error']}")
            if answer["t"] == "exec.end" and answer["id"] == id:
                return answer
            if answer["t"] == "cancel":
                sys.exit(1)
        sys.exit(1)

    def must(self, *argv, env=None, cwd=None):
        """The same; a command that does not succeed fails the step."""
        if self.run(*argv, env=env, cwd=cwd)["exit"] != 0:
            raise Failed()

    def shell(self, lines, *arguments, env=None):
        """`must` for lines of sh. They are the plugin's own text; what comes from the project is `arguments`: "$1", …"""
        self.must("sh", "-euc", lines, "sh", *arguments, env=env)

    def ask(self, lines, *arguments, env=None):
        """The last line that lines of sh print. A question that is answered by no would be told as a command that failed."""
        tail = self.run("sh", "-uc", lines, "sh", *arguments, env=env, tail=1)["tail"]
        return tail[-1] if tail else ""

    def artifact(self, path, role, title=None):
        """Declares what lies below $DRYDOCK_OUT: role `site`, `binary`, `package`, `report`, `log` or `other`."""
        say("artifact", path=path, role=role, title=title)

    def preview(self, root, spa=None):
        say("preview", root=root, spa=spa)

    def warn(self, title, text=""):
        say("notice", title=title, markdown=text)


def _detect(detect, project):
    try:
        answer = detect(project)
    except Failed as failure:
        # It is meant for this plugin, whose plan will say the same, and where.
        return print(json.dumps({"why": clipped(failure.message, 200)}))
    if answer is None:
        sys.exit(100)
    print(json.dumps({"score": answer[0], "why": clipped(answer[1], 200)}))


def _plan(plan, project):
    try:
        print(json.dumps({"steps": [plan(project) or {}]}))
    except Failed as failure:
        print(json.dumps({"error": failure.fields()}))


def _run(run, job):
    try:
        run(job)
    except Failed as failure:
        if failure.message:
            fields = failure.fields()
            fault = fields.pop("fault")
            if "file" in fields:
                place = {key: fields[key] for key in ("file", "line") if key in fields}
                say("diag", severity="error", message=failure.message, **place)
            say("error", message=failure.message, hint=failure.hint, fault="user" if fault == "platform" else fault)
        say("end", ok=False)
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        sys.exit(70)
    say("end", ok=True)


def _request(keys=()):
    """One line of the host's; what is none of its requests ends the plugin as bad input does."""
    try:
        asked = json.loads(sys.stdin.readline())
        if isinstance(asked, dict) and all(key in asked for key in keys):
            return asked
        problem = "it is no request of a host's"
    except (ValueError, RecursionError) as error:
        problem = f"it is no JSON: {error}"
    print(f"bad input: {problem}", file=sys.stderr)
    sys.exit(65)


def serve(run, detect, plan):
    """Answers the verb that this process was started for, and ends it."""
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb not in ("detect", "plan", "run"):
        sys.exit(64)
    asked = _request()
    if verb == "run":
        # The first line was the welcome.
        job = Job(_request(["source", "out", "cache", "files", "with"]))
        say("hello", protocol="1.0")
        _run(run, job)
    elif verb == "detect":
        _detect(detect, Project(asked))
    else:
        _plan(plan, Project(asked))
