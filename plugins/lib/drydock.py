# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""For drivers written in Python:

    sys.dont_write_bytecode = True  # the digest covers this directory
    sys.path.insert(0, os.environ["DRYDOCK_LIB"])
    import drydock

docs/plugin-protocol.md says what the records mean.
"""

import json
import sys
import traceback


class Failed(Exception):
    """The project failed; the message is for its author."""


def say(t, **fields):
    """Writes one record."""
    print("@dd " + json.dumps({"t": t, **{k: v for k, v in fields.items() if v is not None}}), flush=True)


def request():
    """The request of any verb; the welcome of `run` is answered on the way."""
    line = json.loads(sys.stdin.readline())
    if line.get("t") == "welcome":
        say("hello", protocol="1.0")
        line = json.loads(sys.stdin.readline())
    return line


def stage(id, title):
    """From here on everything belongs to this stage."""
    say("stage", id=id, title=title)


def run(*argv, env=None, tail=20):
    """Has the host run a command in the build's sandbox; returns the `exec.end` record."""
    run.count += 1
    id = f"c{run.count}"
    say("exec", id=id, argv=list(argv), env=env, tail=tail)
    for line in sys.stdin:
        answer = json.loads(line)
        if answer["t"] == "exec.end" and answer.get("error"):
            raise ValueError(f"the host refused a command: {answer['error']}")
        if answer["t"] == "exec.end" and answer["id"] == id:
            return answer
        if answer["t"] == "cancel":
            sys.exit(1)
    sys.exit(1)


run.count = 0


def must(*argv, env=None):
    """The same; a command that does not succeed fails the step."""
    if run(*argv, env=env)["exit"] != 0:
        raise Failed(None)


def main(work):
    """Runs `work(request)` and says how it ended; an exception of the plugin's own is not the project's failure."""
    asked = request()
    try:
        work(asked)
    except Failed as failure:
        if failure.args[0]:
            say("error", message=failure.args[0], fault="user", hint=(failure.args[1:] or (None,))[0])
        say("end", ok=False)
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        sys.exit(70)
    say("end", ok=True)
