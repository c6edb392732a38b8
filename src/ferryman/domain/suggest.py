"""Finds the name that somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known word; empty where none is near."""
    spelled = {name.lower(): name for name in sorted(known)}
    near = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return f"Did you mean {spelled[near[0]]}?" if near else ""
