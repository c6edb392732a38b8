"""Columns of many rows as parameters.

The driver asks of each element of an array whether it is an array itself, which costs five times as much as the
element. Numbers and plain words go as one text, which the server takes apart: `$1::text::bigint[]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

EMPTY: Final = "{}"


def numbers(values: Sequence[float | None]) -> str:
    """Numbers, and null for None, as the text of an array."""
    return "{" + str(values)[1:-1].replace("None", "NULL") + "}"


def words(values: Iterable[str]) -> str:
    """Words of nothing but letters as the text of an array."""
    return "{" + ",".join(values) + "}"


def numbers_if_any(values: Sequence[float | None]) -> str:
    """The same as `numbers`, but empty if there is none."""
    return EMPTY if values.count(None) == len(values) else numbers(values)


def if_any(values: Sequence[T | None]) -> Sequence[T | None]:
    """An array, but empty if nothing is in it."""
    return [] if values.count(None) == len(values) else values
