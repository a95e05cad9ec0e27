#!/usr/bin/env python3
"""openapi_contract.py DRYDOCK: asks a server of its own whatever its OpenAPI document allows, and what it forbids.

Schemathesis makes the requests up, the same ones each time: first about a build that is there, then about any. No answer
may be a 5xx, or one that the document does not have, in status, headers, media type and schema; what is wrong by the
document must be refused, and nobody let in without the token. Exit status: 0 when all of that held. EXAMPLES=N asks
more of each operation.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

from served import Server

TOKEN = "a-token-for-tests"
# Of what the document allows more may be refused than JSON Schema can say: a cursor that is none of the build's.
NOT_HELD = "positive_data_acceptance"


def ask(server, folder, parameters):
    """Whether all held; `parameters` are values that requests take instead of made-up ones."""
    with open(os.path.join(folder, "schemathesis.toml"), "w") as file:
        file.write("[parameters]\n")
        file.writelines(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in parameters.items())
    arguments = [
        "--checks", "all", "--exclude-checks", NOT_HELD, "--phases", "examples,coverage,fuzzing", "--warnings", "off",
        "--max-examples", os.environ.get("EXAMPLES", "25"), "--generation-deterministic",
        # Whether made-up requests are hard to make says nothing about the server.
        "--suppress-health-check", "all", "--request-timeout", "10", "--continue-on-failure", "--no-color", "--header", f"Authorization: Bearer {TOKEN}",
    ]
    schemathesis = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    done = subprocess.run(
        [schemathesis, "run", server.address + "/api/openapi.json", "--url", server.address, *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    words = "about a build that is there" if parameters else "about any build"
    if done.returncode == 0:
        count = re.search(r"(\d+) generated", done.stdout)[1]
        print(f"ok      {count} requests {words}")
    else:
        print(f"NOT OK  requests {words}:\n{done.stdout}")
    return done.returncode == 0


def main(drydock):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(drydock, folder, TOKEN)
        try:
            build = server.build("known")
            artifacts = json.loads(server.ask(f"/api/v1/builds/{build}/artifacts"))["artifacts"]
            known = {"path.id": build, "path.path": artifacts[0]["path"]}
            held = [ask(server, folder, parameters) for parameters in (known, {})]
        finally:
            server.stop()
    return 0 if all(held) else 1


sys.exit(main(sys.argv[1]))
