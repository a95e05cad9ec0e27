# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""One build by `drydock build --output json`, and what its journal says became of it. Standard library only."""

import json
import subprocess
import time

TIME_LIMIT = 300
"""Seconds; then the build is asked to stop."""
GRACE = 30


def records(command, limit=TIME_LIMIT):
    """The journal's records, the seconds it took, and whether its time was up; the command's other words go to `stderr`."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    late = False
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        late = True
        process.terminate()
        try:
            out, err = process.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
    journal = [json.loads(line) for line in out.splitlines() if line.startswith("{") and line.endswith("}")]
    return journal, err, time.monotonic() - start, late


def of_kind(journal, kind):
    return [record for record in journal if record["kind"] == kind]


def became(journal, err, seconds, late):
    """What one wants to know of a build: outcome, reason and remedy, plugin, artifacts."""
    plans, ends = of_kind(journal, "plan"), of_kind(journal, "finished")
    result = {
        "outcome": "took too long" if late else ends[-1]["outcome"] if ends else "no end",
        "plugins": list(dict.fromkeys(step["plugin"] for plan in plans for step in plan["plan"]["steps"])),
        "seconds": round(seconds, 1),
        "artifacts": [artifact["path"] for artifact in of_kind(journal, "artifact")],
        "notices": [notice["title"] for notice in of_kind(journal, "notice")],
        "ran": any(step["state"] == "running" for step in of_kind(journal, "step")),
    }
    failure = ends[-1].get("failure") if ends else {"code": "", "message": err.strip()[-500:]}
    if late:
        failure = {"code": "step_timeout", "message": f"not done after {TIME_LIMIT} s"}
    if failure:
        result["failure"] = {key: failure[key] for key in ("code", "fault", "message", "hint", "file", "line") if key in failure}
    return result
