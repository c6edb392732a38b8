"""Requests and answers as values; nothing here does anything."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ferryman.store.watching import Version

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def body_of(members: Mapping[str, Any]) -> bytes:
    """The JSON of an object, without the members that are None."""
    return msgspec.json.encode({name: value for name, value in members.items() if value is not None})


def only(expected: Version | None) -> Mapping[str, str]:
    """The headers that say which version of a job is to be changed, and no other one."""
    return NOTHING if expected is None else {"if-match": f'"{expected.tag}"'}


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
