# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""For drivers of tools that download what a project depends on: told in a sentence where that can not be, instead of by the
tool's minutes of trying."""

import drydock


def reaches_hosts(job):
    """Whether the step may reach some host: then it has the proxy's variables. Which hosts, the proxy knows."""
    return job.ask('[ -n "${https_proxy:-}" ] && echo "network: granted" || echo "network: none"').endswith("granted")


def require(job, missing, host, instead=None):
    """Fails unless the step may reach some host. `missing` is what has to be downloaded from `host` (or by a preset), `instead`
    how to do without."""
    if reaches_hosts(job):
        return
    key = "network.presets" if host.startswith("preset:") else "network.allow"
    hint = f"allow it: `drydock build --network {host}`, or `{key}` in the operator's configuration"
    raise drydock.Failed(
        f"{missing} would have to be downloaded, and the step may reach no network",
        hint + (f"; or {instead}" if instead else ""),
    )


def some(names, most=4):
    """A few names for a sentence."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
