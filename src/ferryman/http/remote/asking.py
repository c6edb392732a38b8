"""Requests and answers as values; nothing here does anything."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Ask(msgspec.Struct, frozen=True):
    """One request."""

    method: str
    path: str
    """Below the server's URL, percent-encoded, with its query."""
    body: bytes | None = None
    headers: Mapping[str, str] = NOTHING
    repeatable: bool = True
    """Whether it changes nothing more if it is said again although an earlier try was carried out."""
    within: float | None = None
    """Seconds that it may take with all its tries; None leaves it to `Patience`."""
    room: float | None = None
    """Seconds to go on where the queue has no room; None is as long as everything else."""
    held: float = 0.0
    """Seconds for which the server may hold the answer back."""

    def __repr__(self) -> str:
        # without the body: it may hold secrets
        return f"<{self.method} {self.path}>"


class Reply(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes
    unsure: bool = False
    """Whether an earlier try of this request may have been carried out."""
