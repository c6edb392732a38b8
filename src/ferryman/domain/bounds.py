"""Bounds of queues: one number for all of them, or a number for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OTHERS: Final = ""
"""Stands for every queue that is not named; no queue can be called so."""

Bound = float | Mapping[str, float]
"""A number is the bound of every queue, and 0 is none; a mapping has the bounds of queues by name."""


def bound_of(bound: Bound, queue: str) -> float:
    """The bound of a queue; 0 is none."""
    if isinstance(bound, Mapping):
        return bound.get(queue, bound.get(OTHERS, 0))
    return bound
