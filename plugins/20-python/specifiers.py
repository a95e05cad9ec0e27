# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Which versions a project allows: PEP 440's specifiers as `requires-python` has them, and Poetry's `^` and `||`."""

import re

CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>|\^|~)?[ \t]{0,8}v?(\d+(?:\.\d+)*)(\.\*)?[A-Za-z0-9.+-]*")


def allows(text, have):
    """Whether `have`, a tuple, is allowed. What can not be understood allows it: the tool that reads it will say."""
    return any(all(_clause(clause, have) for clause in _clauses(choice)) for choice in text.split("||"))


def _clauses(text):
    return [match.groups() for match in CLAUSE.finditer(text)]


def _clause(clause, have):
    operator, number, wildcard = clause
    wanted = tuple(int(part[:9]) for part in number.split("."))
    length = max(len(wanted), len(have))
    least, own = _padded(wanted, length), _padded(have, length)
    if operator in ("==", None, "===") or operator == "!=":
        # Poetry's bare 3.9 is exact as well, but no project means 3.9.0 and not 3.9.1 by it.
        same = have[: len(wanted)] == wanted if wildcard or operator is None else own == least
        return same != (operator == "!=")
    if operator == "~=":
        return own >= least and have[: max(len(wanted) - 1, 1)] == wanted[: max(len(wanted) - 1, 1)]
    if operator == "~":
        return own >= least and have[: min(len(wanted), 2)] == wanted[: min(len(wanted), 2)]
    if operator == "^":
        # The left-most part that is not zero stays.
        kept = next((index + 1 for index, part in enumerate(wanted) if part), len(wanted))
        return own >= least and have[:kept] == wanted[:kept]
    return {"<": own < least, "<=": own <= least, ">": own > least, ">=": own >= least}[operator]


def _padded(version, length):
    return version + (0,) * (length - len(version))
