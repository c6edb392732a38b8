"""The verb by which a store says what it is, for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

SAFE_SQLITE: Final = (3, 51, 3)
"""Before it, a WAL that is reset by one process while another one writes could be corrupted."""


class Described(msgspec.Struct, frozen=True):
    """What a store is, and what somebody who looks after it should see."""

    kind: str
    """sqlite, postgresql or memory; what a store of somebody's own calls itself."""
    place: str
    """Where it is, for people; never with a password."""
    version: str | None
    """Of the database program."""
    migration: str | None
    """The newest migration that it has, such as 0014_wishes."""
    size_bytes: int | None
    """What our tables take; None where that is not known."""
    pending: Mapping[str, int]
    """How many jobs of each type are pending."""
    clock: int | None = None
    """The time at its server, where it has a clock of its own."""


class Describing(Protocol):
    """A part of `Store`."""

    async def describe(self) -> Described:
        """Say what this store is. Cheap enough to be asked every few seconds."""
        ...


def migration_name(folder: Path, number: int) -> str:
    """The name of a migration, by the files of a dialect; of one that a newer version has made its number alone."""
    return next((path.stem for path in (folder / "migrations").glob(f"{number:04d}_*.sql")), f"{number:04d}")
