"""One line of a history."""

from __future__ import annotations

from typing import Any

import msgspec

RunKey = tuple[str, int]
"""(job id, claim number): one run."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="entry", gc=False):
    """One line of a history. Its place in the list is its place in time."""

    at: float
    """Seconds of a monotonic clock that all processes share."""
    by: str
    """Which process notes this."""


def fields(entry: Entry) -> dict[str, Any]:
    """What an entry says besides when and who, for people."""
    return {name: getattr(entry, name) for name in entry.__struct_fields__ if name not in ("at", "by")}
