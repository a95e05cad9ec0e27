# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Reading pyproject.toml, which may hold anything anywhere: a stranger wrote it."""


def table(value, *keys):
    """The table that `keys` lead to; {} where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def listed(value, *keys):
    """The array that the last of `keys` names; [] where there is none."""
    found = table(value, *keys[:-1]).get(keys[-1])
    return found if isinstance(found, list) else []
