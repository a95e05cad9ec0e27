"""Counts words."""

import collections
import re


def count(text):
    """How often each word stands in `text`, without regard to case."""
    return collections.Counter(word.lower() for word in re.findall(r"\w+", text))
