"""What a process does."""

from __future__ import annotations

from typing import Final

import msgspec


class Role(msgspec.Struct, frozen=True):
    """What a process does besides what the settings say."""

    http: bool = True
    """Whether it serves HTTP."""
    command: tuple[str, ...] = ()
    """Starts a node process for its fleet; needed where PROCESSES is not 0."""
    report_to: int | None = None
    """The open descriptor at whose other end its supervisor listens."""


EVERYTHING: Final = Role()
