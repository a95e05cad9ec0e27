# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""npm's ranges of versions: `>=18`, `^18 || ^20`, `18.x`, `1.2 - 2`, `~1.2`. Versions before a release (`-rc.1`) are taken
for the release."""

import re

PART = r"(?:\d{1,9}|[xX*])"
NUMBER = rf"v?({PART})(?:\.({PART}))?(?:\.({PART}))?(?:-[\w.-]+)?(?:\+[\w.-]+)?"
COMPARATOR = re.compile(rf"\s*(>=|<=|>|<|=|\^|~>?)?\s*{NUMBER}(?=\s|$)\s*")
HYPHEN = re.compile(rf"^\s*{NUMBER}\s+-\s+{NUMBER}\s*$")
# Above every version there is.
END = (float("inf"),)


def allows(text, version):
    """Whether a range allows a version, a tuple of three; None = the text is no range."""
    choices = [bounds(choice) for choice in text.split("||")]
    if None in choices:
        return None
    return any(low <= version < high for low, high in choices)


def bounds(text):
    """The versions from `low` to below `high` that one choice allows; None = it is none."""
    if match := HYPHEN.match(text):
        low, high = numbers(match.groups()[:3]), numbers(match.groups()[3:])
        return full(low), after(high)
    low, high = (0, 0, 0), END
    position = 0
    text = text.strip()
    while position < len(text):
        match = COMPARATOR.match(text, position)
        if not match:
            return None
        least, most = comparator(match[1], numbers(match.groups()[1:]))
        low, high = max(low, least), min(high, most)
        position = match.end()
    return low, high


def comparator(operator, given):
    if operator == ">=":
        return full(given), END
    if operator == ">":
        # >1 means from 2.0.0 on.
        return after(given), END
    if operator == "<":
        return (0, 0, 0), full(given)
    if operator == "<=":
        return (0, 0, 0), after(given)
    if operator == "^":
        # The left-most part that is not zero stays.
        kept = next((index for index, part in enumerate(given) if part), len(given) - 1)
        return full(given), after(given[: kept + 1])
    if operator in ("~", "~>"):
        return full(given), after(given[:2])
    return full(given), after(given)


def numbers(parts):
    """Of `1.x` and `1` only the 1 is given."""
    found = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)


def full(given):
    return given + (0,) * (3 - len(given))


def after(given):
    """The first version behind all that begin with what is given."""
    return full(given[:-1] + (given[-1] + 1,)) if given else END
